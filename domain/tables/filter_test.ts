import assert from "node:assert/strict";
import type { ColumnType } from "./catalogue.ts";
import { canonical, fits, parseFilter } from "./filter.ts";

const ID = "01a1fe5f-eb6d-7000-b840-c36a92e813da";
const COLUMNS: Record<string, ColumnType> = {
  id: "id",
  session_id: "session",
  status: "text",
  seq: "number",
  is_private: "boolean",
  created_at: "time",
  data: "json",
};
const ROW = {
  id: ID,
  session_id: ID,
  status: "open",
  seq: 10,
  is_private: false,
  created_at: "2026-03-01T12:00:00.000Z",
  data: {},
};
const matches = (filter: string | string[], row: Record<string, unknown> = ROW) =>
  fits(parseFilter(filter, COLUMNS), row);

Deno.test("every operator, and values as the type of their column", () => {
  const cases: [string | string[], boolean][] = [
    ["", true],
    [[], true],
    ["status=open", true],
    ["status = open", true],
    ['status="open"', true],
    ["status='open'", true],
    ["status=ope", false],
    ["status!=open", false],
    ["status != resolved", true],
    ["status>ooo", true],
    ["status<ooz", false],
    // As numbers: as text, 10 would be below 9.
    ["seq>9", true],
    ["seq<9", false],
    ["seq>=10", true],
    ["seq>10", false],
    ["seq<=10.0", true],
    ["seq=1e1", true],
    ["seq!=10", false],
    ["seq in (1, 10)", true],
    ["seq in(1)", false],
    ["status in (pending, open)", true],
    ["status in ('a, b', \"open\")", true],
    ["is_private=false", true],
    ["is_private!=false", false],
    // As moments: as text, the first would be above.
    ["created_at=2026-03-01T14:00:00+02:00", true],
    ["created_at<2026-03-01T11:59:59-01:00", true],
    ["created_at>2026-03-01", true],
    ["created_at<2026-03-01 12:00:00.001", true],
    ["created_at>=2026-03-01T12:00Z", true],
    [`id=${ID.toUpperCase()}`, true],
    [`session_id=${ID}`, true],
    ["session_id=a-secret", false],
    ["status=open&seq>=10", true],
    ["status=open & seq>10", false],
    [["status=open", "seq<11"], true],
    [["status=open", "seq<10"], false],
  ];
  for (const [filter, expected] of cases) {
    assert.equal(matches(filter), expected, JSON.stringify(filter));
  }
  assert.equal(matches('status="Smith & Sons"', { ...ROW, status: "Smith & Sons" }), true);
  assert.equal(matches('status=""', { ...ROW, status: "" }), true);
});

Deno.test("null equals null only, and is neither above nor below", () => {
  const row = { ...ROW, status: null, seq: null, created_at: null };
  const cases: [string, boolean][] = [
    ["status=null", true],
    ['status="null"', false],
    ["status!=null", false],
    ["status!=open", true],
    ["seq in (1, null)", true],
    ["seq>-5", false],
    ["seq<5", false],
    ["seq<=0", false],
    ["created_at<2030-01-01", false],
  ];
  for (const [filter, expected] of cases) assert.equal(matches(filter, row), expected, filter);
  assert.equal(matches("status=null"), false);
  assert.equal(matches("status!=null"), true);
});

Deno.test("what is wrong is named", () => {
  const cases: [string | string[], RegExp][] = [
    ["nope=1", /no column "nope"/],
    ["__proto__=1", /no column "__proto__"/],
    ["constructor=1", /no column "constructor"/],
    ["seq=ten", /"ten" is not a number.*"seq"/],
    ["seq=0x10", /"0x10" is not a number/],
    ["seq=NaN", /"NaN" is not a number/],
    ["seq=9007199254740993", /"9007199254740993" is not a number that can be compared/],
    ["seq>1e400", /"1e400" is not a number that can be compared/],
    ["seq in (1, two)", /"two" is not a number/],
    ["seq in (1,)", /"" is not a number/],
    ["seq in 1", /"seq in 1" is not/],
    ["seq in ()", /"seq in \(\)" is not/],
    ["seq>null", /"seq" cannot be compared/],
    ["is_private=yes", /"yes" is not true or false/],
    ["is_private>false", /"is_private" cannot be compared/],
    ["created_at>yesterday", /"yesterday" is not a time/],
    ["created_at>2026-02-31", /"2026-02-31" is not a time/],
    ["created_at>2026-03-01T25:00Z", /is not a time/],
    ["created_at>1700000000", /is not a time/],
    ["id=42", /"42" is not a UUID.*"id"/],
    ["data=1", /"data" cannot be compared/],
    ["status=", /"status=" is not/],
    ["status", /"status" is not/],
    ["=open", /"=open" is not/],
    ["status==open", /"status==open" is not/],
    ["status=<open", /"status=<open" is not/],
    ["status=open&&", /"" is not/],
    ["status=open or seq=1 &", /"" is not/],
    [Array.from({ length: 11 }, () => "seq=1"), /11 conditions/],
    [`seq in (${Array.from({ length: 101 }, (_, i) => i)})`, /101 values/],
  ];
  for (const [filter, message] of cases) {
    assert.throws(() => parseFilter(filter, COLUMNS), (error: unknown) => {
      const { code, fields } = error as { code: string; fields: { path: string }[] };
      assert.match(String(error), message, JSON.stringify(filter));
      assert.deepEqual([code, fields[0]!.path], ["invalid", "filter"]);
      return true;
    }, JSON.stringify(filter));
  }
});

Deno.test("filters that say the same are the same", () => {
  const key = (filter: string) => canonical(parseFilter(filter, COLUMNS));
  assert.equal(key("status=open&seq>=10"), key(' seq >= 10.0 & status = "open"'));
  assert.equal(key("created_at>2026-03-01"), key("created_at>2026-03-01T01:00:00+01:00"));
  assert.notEqual(key("status=open"), key("status!=open"));
  assert.notEqual(key("status=null"), key('status="null"'));
});
