import assert from "node:assert/strict";
import { readDraft, readPendingSend, writeDraft, writePendingSend } from "./drafts.ts";

const NONE = { reply: "", note: "", isPrivate: false, isShared: false };
const key = { userId: "ada", conversationId: "a" };

Deno.test("reply and note are kept apart, and nothing is kept of an empty draft", () => {
  sessionStorage.clear();
  const draft = { reply: "Hello", note: "late payer", isPrivate: true, isShared: false };
  writeDraft(key, draft);
  assert.deepEqual(readDraft(key), draft);
  assert.deepEqual(readDraft({ ...key, conversationId: "b" }), NONE);
  writeDraft(key, { ...NONE, reply: " " });
  assert.equal(sessionStorage.length, 0);
});

Deno.test("the next agent in the same tab sees nothing of it", () => {
  sessionStorage.clear();
  writeDraft(key, { ...NONE, note: "late payer" });
  writePendingSend(key, { text: "Hello", seq: 4 });
  const next = { ...key, userId: "bea" };
  assert.deepEqual([readDraft(next), readPendingSend(next)], [NONE, null]);
  assert.deepEqual(readPendingSend(key), { text: "Hello", seq: 4 });
  sessionStorage.clear();
});

Deno.test("a value of another program is an empty draft", () => {
  sessionStorage.setItem("parley.draft.ada.a", "{");
  assert.deepEqual(readDraft(key), NONE);
  sessionStorage.clear();
});
