/** How many sockets there may be of whom nobody knows who they are, whatever carries them. */
import assert from "node:assert/strict";
import { HandshakeError, openRaw, type RawClient, type RawOptions } from "./faults/raw_client.ts";
import { eventually } from "./faults/health.ts";
import { call, cast } from "./support/http.ts";
import { startServer } from "./support/server.ts";
import { within } from "./support/deadline.ts";

const FROM_ELSEWHERE = { "x-forwarded-for": "2001:db8::1" };

Deno.test("sockets that are not authenticated are bounded, in all and of one network", async (t) => {
  const server = await startServer("pglite", {
    TRUSTED_PROXIES: "127.0.0.1",
    MAX_UNAUTHENTICATED_SOCKETS: "5",
    MAX_UNAUTHENTICATED_SOCKETS_PER_NETWORK: "3",
    LIMIT_CONNECTIONS_PER_MINUTE: "1000",
    AUTH_TIMEOUT_MS: "1500",
    HEARTBEAT_MS: "1000",
  });
  const open: RawClient[] = [];
  const dial = async (options?: RawOptions) => {
    const client = await openRaw(server.url, options);
    open.push(client);
    await client.until(({ type }) => type === "welcome");
    return client;
  };
  const refusal = async (): Promise<HandshakeError> => {
    const refused = await openRaw(server.url).then((client) => {
      client.destroy();
      throw new Error("It was let in");
    }, (error) => error);
    assert.ok(refused instanceof HandshakeError, `${refused}`);
    return refused;
  };
  const counted = async () => {
    const { body } = await call<string>(server, "GET", "/metrics");
    return Number(/^parley_unauthenticated_sockets (\d+)/m.exec(body)![1]);
  };
  const settles = async (count: number) =>
    assert.equal(await eventually(counted, (n) => n === count, 10_000, 20), count);
  const poll = (sid = "", headers: Record<string, string> = {}) =>
    call<string>(server, "GET", `/socket.io/?EIO=4&transport=polling${sid && `&sid=${sid}`}`, {
      headers,
    });
  const sidOf = (body: string) => JSON.parse(body.slice(1)).sid as string;
  try {
    const { visitor } = await cast(server);

    await t.step("one of a network too many, until one is authenticated", async () => {
      const [first] = [await dial(), await dial(), await dial()];
      const refused = await refusal();
      assert.equal(refused.status, 429);
      assert.ok(Number(refused.headers.get("retry-after")) >= 1);
      assert.equal(refused.headers.get("content-type"), "application/problem+json");
      assert.equal((await poll("", FROM_ELSEWHERE)).status, 200);
      await first!.ack("auth", { sessionId: visitor.sessionId });
      await dial();
      assert.equal((await refusal()).status, 429);
      const { body } = await call<string>(server, "GET", "/metrics");
      assert.match(body, /limit="MAX_UNAUTHENTICATED_SOCKETS_PER_NETWORK"\} 2/);
      for (const client of open.splice(0)) client.destroy();
      await settles(0);
    });

    await t.step("one that was let go and holds on still counts", async () => {
      for (let i = 0; i < 3; i++) await dial({ closes: false });
      for (const client of open) assert.equal((await client.closed).code, 3006);
      assert.equal((await refusal()).status, 429);
      assert.equal(await counted(), 3);
      for (const client of open.splice(0)) client.destroy();
      await settles(0);
      (await dial()).destroy();
      await settles(0);
    });

    await t.step("sessions that poll, and websockets that come with their id", async () => {
      const sid = sidOf((await poll()).body);
      assert.equal((await poll()).status, 200);
      const path = `/socket.io/?EIO=4&transport=websocket&sid=${sid}`;
      const socket = new WebSocket(server.url.replace("http", "ws") + path);
      await settles(3);
      assert.equal((await poll()).status, 429);
      assert.equal((await poll("", FROM_ELSEWHERE)).status, 200);
      assert.equal((await poll("", FROM_ELSEWHERE)).status, 200);
      const full = await poll("", { "x-forwarded-for": "203.0.113.9" });
      assert.equal(full.status, 503);
      assert.ok(Number(full.headers.get("retry-after")) >= 1);
      socket.close();
      // socket.io's own deadline ends the sessions.
      await settles(0);
    });

    await t.step(
      "a session that changes to a websocket counts once, and authenticated not at all",
      async () => {
        const sid = sidOf((await poll()).body);
        const path = `/socket.io/?EIO=4&transport=websocket&sid=${sid}`;
        const socket = new WebSocket(server.url.replace("http", "ws") + path);
        const heard: string[] = [];
        const hears = async (fits: (text: string) => boolean) => {
          await eventually(() => heard, (texts) => texts.some(fits), 10_000, 10);
        };
        socket.onmessage = ({ data }) => heard.push(data);
        await new Promise((resolve) => socket.onopen = resolve);
        socket.send("2probe");
        await hears((text) => text === "3probe");
        assert.equal(await counted(), 2);
        socket.send("5");
        await settles(1);
        socket.send(`40${JSON.stringify({ sessionId: visitor.sessionId })}`);
        await hears((text) => text.includes("authenticated"));
        await settles(0);
        socket.close();
        await within(new Promise((resolve) => socket.onclose = resolve), "the close of a socket");
        await settles(0);
      },
    );
    assert.deepEqual(server.errors, []);
  } finally {
    for (const client of open) client.destroy();
    await server.close();
  }
});
