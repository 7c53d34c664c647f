import assert from "node:assert/strict";
import type { FoundContact, FoundConversation } from "../../protocol/search.ts";
import { foundIn, partsOf } from "./search_rows.ts";

const plain = (text: string) => ({ text, ranges: [] });
const contact = (id: string, conversationId: string | null): FoundContact => {
  return { id, name: plain("Ada"), email: null, lastSeenAt: null, conversationId };
};
const conversation = (id: string): FoundConversation => ({
  id,
  status: "open",
  contextId: null,
  contact: { id: "c", name: plain("Ada"), email: null },
  preview: null,
  lastActivityAt: "2026-01-01T00:00:00Z",
});

Deno.test("a person whose conversation is shown has no second row", () => {
  const groups = foundIn({
    conversations: { items: [conversation("1")], nextCursor: null },
    contacts: {
      items: [contact("a", "1"), contact("b", "2"), contact("c", null)],
      nextCursor: "x",
    },
    messages: { items: [], nextCursor: null },
  });
  assert.deepEqual(groups.map(({ title, rows }) => [title, rows.map(({ key }) => key)]), [
    ["Conversations", ["conversation-1"]],
    ["People", ["contact-b", "contact-c", "more-contacts"]],
  ]);
  assert.deepEqual(foundIn({}), []);
});

Deno.test("the parts of a text join to the text", () => {
  const ranges = [{ start: 0, end: 2 }, { start: 5, end: 7 }];
  const parts = partsOf({ text: "ab cd ef g", ranges });
  assert.equal(parts.map(({ text }) => text).join(""), "ab cd ef g");
  assert.deepEqual(parts.filter(({ found }) => found).map(({ text }) => text), ["ab", " e"]);
  assert.deepEqual(partsOf(plain("")), []);
});
