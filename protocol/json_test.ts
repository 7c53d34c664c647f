import assert from "node:assert/strict";
import { parseJson } from "./json.ts";

const refused = (text: string, options?: { bounded: boolean }) =>
  assert.throws(() => parseJson(text, options), (error: { code?: string }) => {
    return error.code === "bad_json";
  });

Deno.test("U+0000 is refused wherever it stands, and the six characters are not", () => {
  for (const text of ['"\\u0000"', '{"a":["x\\u0000"]}', '{"\\u0000":1}']) refused(text);
  assert.deepEqual(parseJson('{"a":"\\\\u0000"}'), { a: "\\u0000" });
});

Deno.test("half of a surrogate pair is replaced, and a whole pair stays", () => {
  assert.deepEqual(parseJson('{"a":["\\ud83d","\\uD83D\\uDE00"]}'), { a: ["\ufffd", "😀"] });
});

Deno.test("what is nested without end is refused before anything walks through it", () => {
  const deep = "[".repeat(30_000) + '"\\u0000"' + "]".repeat(30_000);
  refused(deep);
  refused(deep.replace("\\u0000", ""), { bounded: true });
  assert.deepEqual(
    parseJson('{"__proto__":[1]}', { bounded: true }),
    JSON.parse('{"__proto__":[1]}'),
  );
});
