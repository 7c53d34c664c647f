import assert from "node:assert/strict";
import { createLoader } from "./loader.ts";
import { yieldToEventLoop } from "./event_loop.ts";

/** Answers each key with itself doubled, when it is let to; remembers what was asked at once. */
function doubling() {
  const asked: number[][] = [];
  let proceed: (() => void) | null = null;
  return {
    asked,
    async read(keys: number[]): Promise<number[]> {
      asked.push(keys);
      await new Promise<void>((resolve) => proceed = resolve);
      return keys.map((key) => key * 2);
    },
    /** Ends the query that runs, or waits for it to begin. */
    async proceed(): Promise<void> {
      while (proceed === null) await yieldToEventLoop();
      proceed();
      proceed = null;
    },
  };
}

Deno.test("what is asked in one turn is one query, what comes while it runs is the next", async () => {
  const { asked, read, proceed } = doubling();
  const load = createLoader(read);
  const first = [load(1), load(2), Promise.resolve().then(() => load(3))];
  while (asked.length === 0) await yieldToEventLoop();
  const second = [load(4)];
  await yieldToEventLoop();
  second.push(load(5));
  assert.equal(asked.length, 1);
  await proceed();
  assert.deepEqual(await Promise.all(first), [2, 4, 6]);
  await proceed();
  assert.deepEqual(await Promise.all(second), [8, 10]);
  assert.deepEqual(asked, [[1, 2, 3], [4, 5]]);
});

Deno.test("a key that is asked while it is read is read again: nothing is kept", async () => {
  let value = "old";
  const load = createLoader(async (keys: string[]) => {
    const seen = value;
    await yieldToEventLoop();
    return keys.map(() => seen);
  });
  const before = load("a");
  await yieldToEventLoop();
  await Promise.resolve();
  value = "new";
  assert.deepEqual([await before, await load("a"), await load("a")], ["old", "new", "new"]);
});

Deno.test("a query takes as many keys as it may, by their weight, and at least one", async () => {
  const asked: number[][] = [];
  const load = createLoader((keys: number[]) => {
    asked.push(keys);
    return Promise.resolve(keys);
  }, { max: 10, weigh: (key) => key });
  const keys = [4, 6, 1, 40, 10, 5, 5, 1];
  assert.deepEqual(await Promise.all(keys.map(load)), keys);
  assert.deepEqual(asked, [[4, 6], [1], [40], [10], [5, 5], [1]]);
});

Deno.test("a key that the database refuses fails alone, and everything else of its query is read", async () => {
  const asked: string[][] = [];
  const load = createLoader((keys: string[]) => {
    asked.push(keys);
    if (!keys.includes("bad")) return Promise.resolve(keys);
    return Promise.reject(Object.assign(new Error("invalid input"), { code: "22P02" }));
  });
  const results = await Promise.allSettled(["a", "bad", "b"].map(load));
  assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assert.deepEqual(asked, [["a", "bad", "b"], ["a"], ["bad"], ["b"]]);
});

Deno.test("when the database is gone all that waited for the query are told, and the next is tried", async () => {
  let isGone = true;
  const asked: string[][] = [];
  const load = createLoader((keys: string[]) => {
    asked.push(keys);
    return isGone ? Promise.reject(new Error("connection lost")) : Promise.resolve(keys);
  });
  const results = await Promise.allSettled(["a", "b"].map(load));
  assert.deepEqual(results.map(({ status }) => status), ["rejected", "rejected"]);
  isGone = false;
  assert.equal(await load("a"), "a");
  assert.deepEqual(asked, [["a", "b"], ["a"]]);
});
