import assert from "node:assert/strict";
import type { Message } from "../protocol/model.ts";
import { call, cast } from "./support/http.ts";
import { onEitherEngine } from "./support/server.ts";

interface Page {
  items: Message[];
  nextCursor: string | null;
}

onEitherEngine("a history that is read page by page has each message once", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const path = `/api/conversations/${conversation.id}/messages`;
  const written: string[] = [];
  for (let i = 0; i < 7; i++) {
    const body = { content: `message ${i}`, clientMessageId: `m${i}` };
    const { status } = await call(server, "POST", path, { token: visitor.sessionId, body });
    assert.equal(status, 201);
    written.push(body.content);
  }
  /** All pages in one direction, each as it came. */
  async function pages(direction: "before" | "after", start: string | null): Promise<string[][]> {
    const found: string[][] = [];
    let cursor = start;
    do {
      const from = cursor === null ? "" : `&${direction}=${cursor}`;
      const { body } = await call<Page>(server, "GET", `${path}?limit=3${from}`, {
        token: agent.token,
      });
      found.push(body.items.map(({ content }) => content));
      cursor = body.nextCursor;
      assert.ok(found.length < 10, "the cursor never ends");
    } while (cursor !== null);
    return found;
  }
  assert.deepEqual(await pages("after", "0"), [
    written.slice(0, 3),
    written.slice(3, 6),
    written.slice(6),
  ]);
  assert.deepEqual(await pages("before", null), [
    written.slice(4),
    written.slice(1, 4),
    written.slice(0, 1),
  ]);
});
