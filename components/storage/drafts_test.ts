import assert from "node:assert/strict";
import { readDraft, writeDraft } from "./drafts.ts";

const NONE = { reply: "", note: "", isPrivate: false, isShared: false };

Deno.test("reply and note are kept apart, and nothing is kept of an empty draft", () => {
  sessionStorage.clear();
  const draft = { reply: "Hello", note: "late payer", isPrivate: true, isShared: false };
  writeDraft("a", draft);
  assert.deepEqual([readDraft("a"), readDraft("b")], [draft, NONE]);
  writeDraft("a", { ...NONE, reply: " " });
  assert.equal(sessionStorage.length, 0);
});

Deno.test("a draft of 0.1 stays what it was, and a value of another program is none", () => {
  sessionStorage.clear();
  const old = (isPrivate: boolean) => JSON.stringify({ text: "Words", isPrivate, isShared: false });
  sessionStorage.setItem("parley.draft.reply", old(false));
  sessionStorage.setItem("parley.draft.note", old(true));
  sessionStorage.setItem("parley.draft.broken", "{");
  assert.deepEqual(readDraft("reply"), { ...NONE, reply: "Words" });
  assert.deepEqual(readDraft("note"), { ...NONE, note: "Words", isPrivate: true });
  assert.deepEqual(readDraft("broken"), NONE);
  sessionStorage.clear();
});
