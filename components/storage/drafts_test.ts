import assert from "node:assert/strict";
import {
  forgetDrafts,
  readPendingSend,
  readUnsaved,
  readWriting,
  writePendingSend,
  writeUnsaved,
  writeWriting,
} from "./drafts.ts";

const key = { userId: "ada", conversationId: "a" };
const next = { ...key, userId: "bea" };

Deno.test("the next agent in the same browser sees nothing, and a sign-out leaves nothing", () => {
  localStorage.clear();
  sessionStorage.clear();
  localStorage.setItem("parley.theme", "dark");
  writeUnsaved({ ...key, mode: "note" }, "late payer", 3);
  writeUnsaved({ ...key, mode: "reply" }, "Hello", 0);
  writeUnsaved({ ...key, mode: "reply" }, null, 4);
  writePendingSend(key, { text: "Hello", seq: 4 });
  writeWriting(key, { isPrivate: true, isShared: false });
  assert.deepEqual([readUnsaved("bea"), readPendingSend(next)], [[], null]);
  assert.equal(readWriting(next).isPrivate, false);
  assert.deepEqual(readUnsaved("ada"), [
    { conversationId: "a", mode: "note", content: "late payer", version: 3 },
  ]);
  assert.deepEqual(readPendingSend(key), { text: "Hello", seq: 4 });
  assert.equal(readWriting(key).isPrivate, true);
  forgetDrafts();
  assert.deepEqual([readUnsaved("ada"), readPendingSend(key)], [[], null]);
  assert.deepEqual([localStorage.length, sessionStorage.length], [1, 0]);
  localStorage.clear();
});

Deno.test("what an older version kept in the tab is found once", () => {
  sessionStorage.setItem("parley.draft.ada.a", '{"reply":"Hello","note":"","isPrivate":false}');
  sessionStorage.setItem("parley.draft.bea.a", '{"reply":"Not mine","note":""}');
  const found = { conversationId: "a", mode: "reply", content: "Hello", version: 0 };
  assert.deepEqual(readUnsaved("ada"), [found]);
  assert.deepEqual(readUnsaved("ada"), []);
  sessionStorage.clear();
});

Deno.test("a value of another program is no draft", () => {
  localStorage.setItem("parley.draft.ada.a.reply", "{");
  localStorage.setItem("parley.draft.ada.a.note", "[1]");
  assert.deepEqual(readUnsaved("ada"), []);
  localStorage.clear();
});
