import assert from "node:assert/strict";
import { idIn, peek } from "./peek.ts";

Deno.test("peek() reads what stands at the top of broken and cut JSON", () => {
  const cases: [string, unknown][] = [
    ['{"type":"message","id":"c1","data":{"content":"' + "x".repeat(1000), {
      type: "message",
      id: "c1",
      data: {},
    }],
    ['{"data":{"content":"' + 'é\\"\\\\'.repeat(500) + '","n":1},"id":7}', {
      data: { n: 1 },
      id: 7,
    }],
    ['{"id":"a","id":"b"', { id: "a" }],
    ['{"x":[{"id":"no"},"id","no"],"id":"yes",,,', { id: "yes" }],
    ['{"a":{"b":{"id":"no"},"c":2},"id":-1.5e3}', { a: { c: 2 }, id: -1500 }],
    ['  {"payload" : {"id" : "chat"} , "type":\n"chat", bad', {
      payload: { id: "chat" },
      type: "chat",
    }],
    ['{"id":"\\u00e9\\n"}', { id: "é\n" }],
    ['{"__proto__":{"id":"x"},"id":"y"}', { id: "y" }],
    ['{"id":true,"type":null}', {}],
    ['{"id":"never ends', {}],
    ['["id","x"]', {}],
    ['"id"', {}],
    ["", {}],
    ["{".repeat(10_000), {}],
    ["}{", {}],
    ['{"a"}{"id":1}', {}],
  ];
  for (const [text, expected] of cases) assert.deepEqual(peek(text), expected, text.slice(0, 60));
  assert.deepEqual(peek(`{"a":"${"x".repeat(500)}","id":1}`, 400), {});
});

Deno.test("peek() costs its length, whatever stands in it", () => {
  const texts = ["\\", '"', "{", '{"a":', "[", ",", " ", '\\"', '{"id":"x'].map((part) =>
    part.repeat(Math.ceil(300_000 / part.length))
  );
  for (const text of texts) {
    peek(text);
    peek(`{"a":"${text}`);
  }
});

Deno.test("idIn() repeats only what is an id", () => {
  for (const id of ["a", "x".repeat(64), 0, -3, Number.MAX_SAFE_INTEGER]) {
    assert.equal(idIn({ id }), id);
  }
  for (const id of ["", "x".repeat(65), "a\0", 1.5, 2 ** 53, null, {}, true]) {
    assert.equal(idIn({ id }), undefined);
  }
  for (const value of [null, undefined, 1, "id", []]) assert.equal(idIn(value), undefined);
});
