import assert from "node:assert/strict";
import { withFakeTime } from "../../tests/support/fake_time.ts";
import { createAgentAuth } from "./agent_auth.ts";
import { noteServerTime, onServerTime, serverNow } from "./server_time.ts";

const MINUTE = 60_000;
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < MINUTE, `${actual} is not near ${expected}`);

Deno.test("the server's time counts, as it was last said, and not the way of the message", () => {
  let changes = 0;
  const end = onServerTime(() => changes++);
  try {
    for (const minutes of [-20, 90, 0]) {
      const real = Date.now() + minutes * MINUTE;
      noteServerTime(new Date(real).toISOString());
      near(serverNow(), real);
      noteServerTime(new Date(real).toUTCString());
      for (const nothing of [null, undefined, "", "soon"]) noteServerTime(nothing);
      near(serverNow(), real);
    }
    assert.equal(changes, 3);
  } finally {
    end();
    noteServerTime(new Date().toISOString());
  }
});

Deno.test("on a device whose clock is wrong, a token is kept until it expires", async () => {
  const { fetch } = globalThis;
  for (const minutes of [-20, 0, 20]) {
    let refreshes = 0;
    const serverTime = () => Date.now() - minutes * MINUTE;
    globalThis.fetch = () => {
      refreshes++;
      const expiresAt = new Date(serverTime() + 15 * MINUTE).toISOString();
      const headers = { date: new Date(serverTime()).toUTCString() };
      return Promise.resolve(Response.json({ token: `${refreshes}`, expiresAt }, { headers }));
    };
    await withFakeTime(async (time) => {
      const auth = createAgentAuth();
      try {
        for (let i = 0; i < 3; i++) assert.equal(await auth.token(), "1", `${minutes} min`);
        await time.pass(13 * MINUTE);
        assert.equal(await auth.token(), "1", `${minutes} min`);
        await time.pass(2 * MINUTE);
        assert.equal(await auth.token(), "2", `${minutes} min`);
      } finally {
        auth.close();
        globalThis.fetch = fetch;
        noteServerTime(new Date(Date.now()).toISOString());
      }
    });
  }
});
