import assert from "node:assert/strict";
import type { Draft } from "../../protocol/drafts.ts";
import {
  chosen,
  draftKey,
  draftPreview,
  type DraftText,
  isUnsaved,
  received,
  reread,
} from "./drafts_state.ts";

const draft = (content: string, version: number): Draft => ({
  conversationId: "c",
  mode: "reply",
  content,
  version,
  updatedAt: "2026-11-30T12:00:00Z",
});
const text = (content: string, saved: string, version: number): DraftText => ({
  conversationId: "c",
  mode: "reply",
  content,
  saved,
  version,
  other: null,
});

Deno.test("what another device wrote comes in, unless something here is not saved", () => {
  const saved = text("Hello", "Hello", 1);
  assert.deepEqual(received(undefined, draft("Hello", 1)), saved);
  assert.deepEqual(received(saved, draft("Hi", 2)), text("Hi", "Hi", 2));
  assert.equal(received(saved, draft("Older", 1)), saved);
  assert.deepEqual(received(saved, draft("", 2)), text("", "", 2));

  const writing = text("Hello you", "Hello", 1);
  const both = received(writing, draft("Good morning", 2));
  assert.deepEqual(both, { ...writing, other: draft("Good morning", 2) });
  assert.deepEqual(chosen(both, "this"), text("Hello you", "Good morning", 2));
  assert.deepEqual(chosen(both, "other"), text("Good morning", "Good morning", 2));
  const all = chosen(both, "both");
  assert.deepEqual(all, text("Hello you\nGood morning", "Good morning", 2));
  assert.ok(isUnsaved(all));
});

Deno.test("nobody is asked where no text would be lost", () => {
  const writing = text("Hello you", "Hello", 1);
  // This device's own, which arrives while more was written.
  assert.deepEqual(received(writing, draft("Hello yo", 2)), text("Hello you", "Hello yo", 2));
  assert.deepEqual(
    received(text("Hello", "", 1), draft("Bye", 2), "Bye"),
    text("Hello", "Bye", 2),
  );
  // Sent from here while it was being saved: it does not come back.
  assert.deepEqual(received(text("", "", 0), draft("Hello", 1), "Hello"), text("", "Hello", 1));
  // Sent on another device.
  assert.deepEqual(received(writing, draft("", 2)), text("Hello you", "", 2));
  assert.deepEqual(received(writing, draft("Hello you all", 2)).content, "Hello you all");
  // Sent here, while more was written there: that is what is left.
  assert.deepEqual(received(text("", "Hello", 1), draft("Hi", 2)), text("Hi", "Hi", 2));
});

Deno.test("after a reading, what was deleted elsewhere is gone, and unsaved text stays", () => {
  const other = { ...text("Kept", "Kept", 2), mode: "note" as const };
  const texts = new Map([
    [draftKey("c", "reply"), text("Sent elsewhere", "Sent elsewhere", 1)],
    [draftKey("c", "note"), other],
    [draftKey("d", "reply"), { ...text("Unsaved", "Old", 3), conversationId: "d" }],
  ]);
  const now = reread(texts, [{ ...draft("Newer", 9), mode: "note" }], new Set());
  assert.deepEqual([...now.keys()], ["c.note", "d.reply"]);
  assert.equal(now.get("c.note")!.content, "Newer");
  assert.deepEqual([now.get("d.reply")!.content, now.get("d.reply")!.saved], ["Unsaved", ""]);
  // What changed during the reading is newer than it.
  assert.equal(reread(texts, [], new Set(["c.reply"])).get("c.reply")!.content, "Sent elsewhere");
  assert.equal(draftPreview(now, "c"), "Newer");
  assert.equal(draftPreview(now, "e"), null);
  assert.ok(!isUnsaved(text(" ", "", 0)));
});
