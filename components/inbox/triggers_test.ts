import assert from "node:assert/strict";
import { replaceTrigger, triggerAt } from "./triggers.ts";

Deno.test("a mention begins with @ at the start of a word, up to the caret", () => {
  const query = (text: string, caret: number) => {
    const found = triggerAt(text, caret, ["mention"]);
    return found === null ? null : [found.at, found.text];
  };
  assert.deepEqual(query("@", 1), [0, ""]);
  assert.deepEqual(query("see @ad and", 7), [4, "ad"]);
  assert.deepEqual(query("(@Ada P", 7), [1, "Ada P"]);
  assert.equal(query("mail@ada", 8), null);
  assert.equal(query("@ ada", 5), null);
  assert.equal(query("@ada\nmore", 9), null);
  assert.equal(query("ada", 3), null);
});

Deno.test("canned replies begin with / at the start of a line or word, emoji with two letters", () => {
  const kinds = ["canned", "emoji"] as const;
  const found = (text: string) => {
    const trigger = triggerAt(text, text.length, kinds);
    return trigger === null ? null : `${trigger.kind} ${trigger.at} ${trigger.text}`;
  };
  assert.equal(found("/"), "canned 0 ");
  assert.equal(found("Hi!\n/grüß"), "canned 4 grüß");
  assert.equal(found("Hi /re-turn"), "canned 3 re-turn");
  for (const text of ["https://", "and/or", "24/12", "/etc/passwd", "/ no", "a/"]) {
    assert.equal(found(text), null, text);
  }
  assert.equal(found("Great :ta"), "emoji 6 ta");
  assert.equal(found("(:+1"), "emoji 1 +1");
  for (const text of [":)", ":D", "10:30", "Note:it", ":a b"]) {
    assert.equal(found(text), null, text);
  }
  assert.equal(triggerAt("@ada", 4, kinds), null);
});

Deno.test("what is chosen stands in place of what was written", () => {
  const trigger = { kind: "canned", at: 3, text: "re" } as const;
  assert.deepEqual(replaceTrigger("Hi /re!", trigger, "Returns are free"), {
    text: "Hi Returns are free!",
    caret: 19,
  });
});
