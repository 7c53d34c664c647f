import assert from "node:assert/strict";
import type { ParleyError } from "./errors.ts";
import { checkParsed, parseJson, type ParseOptions } from "./json.ts";

function refused(text: string, options?: ParseOptions): ParleyError {
  let thrown: unknown;
  assert.throws(() => parseJson(text, options), (error) => {
    thrown = error;
    return true;
  }, text);
  return thrown as ParleyError;
}

const whatOf = ({ code, fields }: ParleyError) => [code, fields?.[0]?.path];

Deno.test("U+0000 is refused wherever it stands, and the six characters are not", () => {
  for (const text of ['"\\u0000"', '{"a":["x\\u0000"]}', '{"\\u0000":1}']) {
    assert.equal(refused(text).code, "bad_json");
  }
  assert.deepEqual(parseJson('{"a":"\\\\u0000"}'), { a: "\\u0000" });
  assert.deepEqual(whatOf(refused('{"a":["x\\u0000"]}')), ["bad_json", "a.0"]);
});

Deno.test("half of a surrogate pair is refused, replaced where people type, and a pair stays", () => {
  for (const half of ["\\ud83d", "\\uDE00", "\\ud83dx", "\\ude00\\ud83d"]) {
    assert.deepEqual(whatOf(refused(`{"a":["${half}"]}`)), ["invalid", "a.0"], half);
    assert.deepEqual(whatOf(refused(`{"${half}":1}`)).at(0), "invalid", half);
  }
  assert.deepEqual(parseJson('{"a":["\\uD83D\\uDE00"]}'), { a: ["😀"] });
  const options = { text: ["data.content"] };
  const cut = '{"data":{"content":"\\ud83d","other":"x"}}';
  assert.deepEqual(parseJson(cut, options), { data: { content: "\ufffd", other: "x" } });
  const elsewhere = refused('{"data":{"content":"x","other":"\\ud83d"}}', options);
  assert.deepEqual(whatOf(elsewhere), ["invalid", "data.other"]);
});

Deno.test("numbers that would become others are refused by their path", () => {
  const lossy = [
    "9007199254740993",
    "-9007199254740993",
    "12345678901234567890",
    "9007199254740993.0",
    "9007199254740993e0",
    "1e400",
    "-1E+400",
    "1e-400",
    `0.${"0".repeat(400)}1`,
    `1${"0".repeat(400)}`,
  ];
  for (const number of lossy) {
    assert.deepEqual(whatOf(refused(`{"a":[{"b":${number}}]}`)), ["invalid", "a.0.b"], number);
    assert.equal(refused(number).code, "invalid");
  }
  const good = ["9007199254740991", "-9007199254740991", "1e100", "1e308", "0e999", "0.1", "-0.0"];
  good.push("3.14159265358979323846", "1234567890123456.5", "100000000000000000000");
  for (const number of good) assert.deepEqual(parseJson(`[${number}]`), [Number(number)], number);
  assert.deepEqual(parseJson('{"a":"9007199254740993","1e400":1}'), {
    a: "9007199254740993",
    "1e400": 1,
  });
});

Deno.test("a key __proto__ is refused, and other names of objects are names", () => {
  for (const key of ["__proto__", "\\u005f_proto__", "__prot\\u006f__".replace("\\u006f", "o")]) {
    assert.deepEqual(whatOf(refused(`{"a":{"${key}":1}}`)), ["invalid", "a.__proto__"], key);
  }
  const names = { constructor: "Bouygues", prototype: 1, toString: null, hasOwnProperty: [] };
  assert.deepEqual(parseJson(JSON.stringify({ names }), { bounded: true }), { names });
});

Deno.test("what is nested without end is refused before anything walks through it", () => {
  const deep = "[".repeat(30_000) + '"\\u0000"' + "]".repeat(30_000);
  assert.equal(refused(deep).code, "bad_json");
  assert.equal(refused(deep.replace("\\u0000", ""), { bounded: true }).code, "bad_json");
  assert.equal(refused(deep.replace('"\\u0000"', "1e400")).code, "bad_json");
});

Deno.test("checkParsed() sees what was lost before it", () => {
  const values = [Infinity, 2 ** 53, "\ud83d", "a\0", JSON.parse('{"__proto__":1}')];
  for (const value of values) {
    assert.throws(() => checkParsed([value]), ({ fields }) => fields[0].path.startsWith("0"));
  }
  checkParsed([{ a: 2 ** 53 - 1, b: [0.1, null, true, "😀"] }]);
});
