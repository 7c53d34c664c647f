import assert from "node:assert/strict";
import { z } from "zod";
import { fieldErrors, invalid } from "./errors.ts";
import { queryInteger } from "./model.ts";
import { AuditQuery } from "./audit.ts";
import { ConversationQuery, DisconnectBody, LoginBody, PostMessageBody } from "./rest.ts";

/** What is wrong with a value, as "path message". */
function wrong(schema: z.ZodType, value: unknown): string[] {
  const parsed = schema.safeParse(value);
  return parsed.success
    ? []
    : fieldErrors(parsed.error).map(({ path, message }) => `${path} ${message}`.trim());
}

Deno.test("an error names the field and what it has to be, and never zod's own words", () => {
  const schema = z.strictObject({
    name: z.string().min(1).max(3),
    code: z.string().min(2),
    count: z.number().int().min(1).max(5),
    share: z.number().gt(0).lt(1),
    tags: z.array(z.string()).min(1).max(1),
    id: z.uuid(),
    at: z.iso.datetime(),
    status: z.enum(["open", "closed"]),
    kind: z.literal("text"),
    done: z.boolean(),
  });
  const good = {
    name: "abc",
    code: "ab",
    count: 1,
    share: 0.5,
    tags: ["a"],
    id: "01a1f905-b485-7004-91ff-9a78c06738dd",
    at: "2026-11-21T00:00:00Z",
    status: "open",
    kind: "text",
    done: true,
  };
  assert.deepEqual(wrong(schema, good), []);
  assert.deepEqual(wrong(schema, { ...good, name: "", code: "a", count: 0, share: 0, tags: [] }), [
    "name must not be empty",
    "code must have at least 2 characters",
    "count must be at least 1",
    "share must be more than 0",
    "tags must not be empty",
  ]);
  assert.deepEqual(
    wrong(schema, { ...good, name: "abcd", count: 6, share: 1, tags: ["a", "b"] }),
    [
      "name must have at most 3 characters",
      "count must be at most 5",
      "share must be less than 1",
      "tags must have at most 1 entry",
    ],
  );
  assert.deepEqual(
    wrong(schema, { ...good, id: "x", at: "x", status: "", kind: "x", count: 1.5, done: "x" }),
    [
      "count must be a whole number",
      "id must be a UUID",
      "at must be a time such as 2026-11-21T00:00:00Z",
      'status must be one of "open", "closed"',
      'kind must be "text"',
      "done must be true or false",
    ],
  );
  const { name: _name, ...rest } = good;
  assert.deepEqual(wrong(schema, { ...rest, surprise: 1, another: 2 }), [
    "name is needed",
    'must not have "surprise", "another"',
  ]);
  assert.deepEqual(wrong(schema, null), ["must be an object"]);
});

Deno.test("sentences of the schemas are kept, and the first one is in the error", () => {
  assert.deepEqual(wrong(PostMessageBody, { content: " ", clientMessageId: "c 1" }), [
    "clientMessageId must be visible ASCII without spaces",
    "content must not be empty",
  ]);
  const parsed = LoginBody.safeParse({ email: "", password: "x".repeat(201) });
  const error = invalid("the body", parsed.error!);
  assert.equal(error.message, 'Cannot accept the body: "email": must not be empty');
  assert.deepEqual(error.fields, [
    { path: "email", message: "must not be empty" },
    { path: "password", message: "must have at most 200 characters" },
  ]);
});

Deno.test("of a union the member that fits best is meant", () => {
  assert.deepEqual(wrong(DisconnectBody, { userId: "x" }), ["userId must be a UUID"]);
  assert.deepEqual(wrong(z.union([z.string(), z.number()]), true), [
    "must be a string or a number",
  ]);
  assert.deepEqual(wrong(z.object({ id: z.union([z.string(), z.number()]) }), { id: [] }), [
    "id must be a string or a number",
  ]);
});

Deno.test("a filter of a query that is empty or unknown is refused, with what it may be", () => {
  assert.deepEqual(wrong(ConversationQuery, { status: "" }), [
    'status must be one of "open", "pending", "snoozed", "resolved"',
  ]);
  assert.deepEqual(wrong(ConversationQuery, { view: "" }), [
    'view must be one of "all", "mine", "unassigned", "mentions"',
  ]);
  assert.match(wrong(AuditQuery, { action: "" })[0]!, /^action must be one of "sign_in.started", /);
  const number = queryInteger(0, 100);
  for (const text of ["", " 5", "5 ", "1e1", "0x10", "1.5", "abc", "NaN", "--1"]) {
    assert.deepEqual(wrong(number, text), ["must be a number"], text);
  }
  assert.deepEqual(wrong(number, "-1"), ["must be at least 0"]);
  assert.deepEqual(wrong(number, "101"), ["must be at most 100"]);
  assert.equal(number.parse("007"), 7);
});
