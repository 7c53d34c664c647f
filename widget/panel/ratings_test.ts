import assert from "node:assert/strict";
import type { Conversation } from "../../protocol/model.ts";
import { createRatings } from "./ratings.ts";

const resolved = (resolvedAt: string) =>
  ({ id: "c", status: "resolved", resolvedAt }) as Conversation;

function make(refuse = { now: false }) {
  const stored = new Map<string, string>();
  const sent: unknown[] = [];
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  };
  const open = () =>
    createRatings({
      storage,
      key: "k",
      changed: () => {},
      send: (_id, body) => {
        if (refuse.now) return Promise.reject(new Error("no"));
        sent.push(body);
        return Promise.resolve();
      },
    });
  return { open, sent };
}

Deno.test("a rating is asked for once for each resolution, with an optional comment", async () => {
  const { open, sent } = make();
  const ratings = open();
  assert.equal(ratings.of(null, true), null);
  assert.equal(ratings.of({ ...resolved("1"), status: "open" }, true), null);
  assert.equal(ratings.of(resolved("1"), false), null, "the visitor said nothing");
  assert.equal(ratings.of(resolved("1"), true)!.given, 0);
  await ratings.rate("c", 4);
  assert.deepEqual(ratings.of(resolved("1"), true), { given: 4, done: false, failed: false });
  await ratings.rate("c", 4, "Good");
  assert.equal(ratings.of(resolved("1"), true)!.done, true);
  assert.deepEqual(sent, [{ rating: 4 }, { rating: 4, comment: "Good" }]);
  assert.equal(open().of(resolved("1"), true), null, "on the next page");
  assert.equal(open().of(resolved("2"), true)!.given, 0, "resolved once more");
});

Deno.test("a rating that could not be stored can be tried again", async () => {
  const refuse = { now: true };
  const { open } = make(refuse);
  const ratings = open();
  ratings.of(resolved("1"), true);
  await ratings.rate("c", 2);
  assert.deepEqual(ratings.of(resolved("1"), true), { given: 0, done: false, failed: true });
  refuse.now = false;
  await ratings.rate("c", 3);
  assert.deepEqual(ratings.of(resolved("1"), true), { given: 3, done: false, failed: false });
});
