import assert from "node:assert/strict";
import { Listeners } from "./emitter.ts";

class Bell extends Listeners<{ ring: [times: number]; end: [] }> {
  ring(times: number): void {
    this.emit("ring", times);
  }
}

Deno.test("listeners are called in order, once for once(), and not after off()", () => {
  const log: string[] = [];
  const bell = new Bell((error) => assert.fail(String(error)));
  const always = (times: number) => log.push(`always ${times}`);
  bell.on("ring", always).once("ring", (times) => log.push(`once ${times}`));
  bell.ring(1);
  bell.ring(2);
  bell.removeListener("ring", always).off("ring", always);
  bell.ring(3);
  assert.deepEqual(log, ["always 1", "once 1", "always 2"]);
});

Deno.test("a listener that throws is reported and the next is called", () => {
  const reported: unknown[] = [];
  let called = 0;
  const bell = new Bell((error, event) => reported.push([String(error), event]));
  bell.on("ring", () => {
    throw new Error("no");
  });
  bell.on("ring", () => called++);
  bell.ring(1);
  assert.deepEqual(reported, [["Error: no", "ring"]]);
  assert.equal(called, 1);
});

Deno.test("listeners may be added and removed while they are called", () => {
  const log: string[] = [];
  const bell = new Bell((error) => assert.fail(String(error)));
  const second = () => log.push("second");
  bell.on("ring", () => {
    log.push("first");
    bell.off("ring", second).on("ring", () => log.push("added"));
  });
  bell.on("ring", second);
  bell.ring(1);
  assert.deepEqual(log, ["first", "second"]);
  bell.ring(2);
  assert.deepEqual(log, ["first", "second", "first", "added"]);
});
