import assert from "node:assert/strict";
import type { ParleyClient, PendingMessage } from "../../client/mod.ts";
import { createUnsent } from "./unsent_model.ts";

Deno.test("conversations with a refused message are known, and forgotten when it is gone", () => {
  const waiting: Partial<PendingMessage>[] = [
    { conversationId: "a", content: "Hello", state: "failed" },
    { conversationId: "b", content: "Under way", state: "sending" },
  ];
  let changed = () => {};
  const client = {
    pending: () => waiting,
    on: (_: string, handler: () => void) => {
      changed = handler;
      return () => {};
    },
  };
  const model = createUnsent();
  model.listen(client as unknown as ParleyClient);
  changed();
  assert.deepEqual([...model.unsent.value], [["a", "Hello"]]);
  waiting.length = 0;
  changed();
  assert.equal(model.unsent.value.size, 0);
});
