/** Requests that are sent by halves, or drop by drop. */
import assert from "node:assert/strict";
import { eventually } from "./faults/health.ts";
import { call, cast } from "./support/http.ts";
import { startServer } from "./support/server.ts";

/** A request on a bare connection; `answer` is what came until `ms` or the first bytes. */
async function send(url: string, text: string) {
  const { hostname, port } = new URL(url);
  const conn = await Deno.connect({ hostname, port: Number(port) });
  const write = (more: string) => conn.write(new TextEncoder().encode(more)).catch(() => 0);
  await write(text);
  const answer = (async () => {
    const buffer = new Uint8Array(4096);
    const timer = setTimeout(() => conn.close(), 60_000);
    try {
      const size = await conn.read(buffer) ?? 0;
      return new TextDecoder().decode(buffer.subarray(0, size));
    } finally {
      clearTimeout(timer);
    }
  })();
  const close = () => {
    try {
      conn.close();
    } catch {
      // It is.
    }
  };
  return { answer, write, close };
}

Deno.test("half a body is given up in time, and bounded by network and in all", async (t) => {
  const server = await startServer("pglite", {
    TRUSTED_PROXIES: "127.0.0.1",
    BODY_TIMEOUT_MS: "2500",
    MAX_OPEN_REQUESTS: "8",
    LIMIT_REQUESTS_PER_MINUTE: "150",
    MAX_OPEN_REQUESTS_PER_NETWORK: "5",
  });
  const open: { close(): void }[] = [];
  const half = async (
    from: string,
    body = "content-length: 1000\r\n\r\n{",
    type = "application/json",
  ) => {
    const request = await send(
      server.url,
      `POST /api/sessions HTTP/1.1\r\nhost: ${new URL(server.url).host}\r\n` +
        `x-forwarded-for: ${from}\r\ncontent-type: ${type}\r\n${body}`,
    );
    open.push(request);
    return request;
  };
  const widget = (from: string) =>
    call(server, "GET", "/api/widgets/wk_none", { headers: { "x-forwarded-for": from } });
  /** The server has read the heads of what was sent just now. */
  const arrives = async (from: string, status: number) => {
    const seen = await eventually(() => widget(from), (one) => one.status === status, 5000, 100);
    assert.equal(seen.status, status);
    return seen;
  };
  try {
    const { agent } = await cast(server);

    await t.step("whatever kind of body it is", async () => {
      const sent = await Promise.all([
        half("203.0.113.1"),
        half(
          "203.0.113.1",
          "content-length: 1000\r\n\r\n--x\r\n",
          "multipart/form-data; boundary=x",
        ),
        half("203.0.113.1", 'transfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n'),
        half("203.0.113.1", "content-length: 1000\r\n\r\n"),
      ]);
      // Drop by drop is no better.
      const dripping = setInterval(() => sent[0].write(" "), 50);
      for (const { answer } of sent) {
        const text = await answer;
        assert.match(text, /^HTTP\/1.1 408 /);
        assert.match(text, /"code":"request_timeout"/);
      }
      clearInterval(dripping);
      const { body } = await call<string>(server, "GET", "/metrics");
      assert.match(body, /limit="BODY_TIMEOUT_MS"\} 4/);
    });

    await t.step("others of the network wait, everybody else does not", async () => {
      await Promise.all(Array.from({ length: 5 }, () => half("2001:db8::1")));
      const refused = await arrives("2001:db8::2", 429);
      assert.equal(refused.body["limit"], "MAX_OPEN_REQUESTS_PER_NETWORK");
      assert.ok(Number(refused.headers.get("retry-after")) >= 1);
      const me = await call(server, "GET", "/api/auth/me", {
        token: agent.token,
        headers: { "x-forwarded-for": "203.0.113.9" },
      });
      assert.notEqual(me.status, 429);
      await Promise.all(Array.from({ length: 3 }, () => half("203.0.113.7")));
      const full = await arrives("203.0.113.9", 503);
      assert.equal(full.body["limit"], "MAX_OPEN_REQUESTS");
      // Probes are never refused.
      assert.equal((await call(server, "GET", "/health")).status, 200);
      await arrives("2001:db8::2", 404);
    });

    await t.step("who goes away in the middle leaves room at once", async () => {
      const sent = await Promise.all(Array.from({ length: 5 }, () => half("203.0.113.8")));
      await arrives("203.0.113.8", 429);
      for (const request of sent) request.close();
      await Promise.all(sent.map(({ answer }) => answer.catch(() => {})));
      await arrives("203.0.113.8", 404);
    });

    await t.step("a network has a rate, whatever it asks for", async () => {
      const from = "2001:db8:0:5::";
      // A slow machine needs more of them, because some are given back meanwhile.
      const seen: number[] = [];
      while (seen.at(-1) !== 429 && seen.length < 2000) {
        seen.push((await widget(`${from}${seen.length}`)).status);
      }
      assert.deepEqual([...new Set(seen)], [404, 429]);
      assert.ok(seen.length > 150, `${seen.length}`);
      const refused = await widget(`${from}ffff`);
      assert.equal(refused.body["limit"], "LIMIT_REQUESTS_PER_MINUTE");
      assert.ok(Number(refused.headers.get("retry-after")) >= 1);
    });

    await t.step("what is slow and in time is read", async () => {
      const request = await half("203.0.113.1", "content-length: 15\r\n\r\n");
      for (const part of ['{"widg', 'etKey":', "1"]) await request.write(part);
      await request.write("}");
      assert.match(await request.answer, /^HTTP\/1.1 422 /);
    });
    assert.deepEqual(server.errors, []);
  } finally {
    for (const request of open) request.close();
    await server.close();
  }
});
