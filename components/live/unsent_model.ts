import { signal } from "@preact/signals";
import type { ParleyClient } from "../../client/mod.ts";

/** Messages that the server refused, by conversation: the newest of each, for the list. */
export function createUnsent() {
  const unsent = signal<ReadonlyMap<string, string>>(new Map());
  return {
    unsent,
    /** Returns functions that end it. */
    listen(client: ParleyClient): (() => void)[] {
      const read = () => {
        const failed = client.pending().filter(({ state }) => state === "failed");
        if (failed.length === 0 && unsent.value.size === 0) return;
        unsent.value = new Map(
          failed.flatMap(({ conversationId, content }) =>
            conversationId === undefined ? [] : [[conversationId, content]]
          ),
        );
      };
      return [client.on("outbox", read), client.on("identity", read)];
    },
  };
}
