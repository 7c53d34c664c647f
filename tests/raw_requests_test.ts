/** Requests that no browser sends: what a stranger writes into a bare connection. */
import assert from "node:assert/strict";
import { within } from "./support/deadline.ts";
import { cast } from "./support/http.ts";
import { startProcess, startWaiting } from "./support/process.ts";
import { freePort } from "./support/parallel.ts";
import { ADMIN } from "./support/server.ts";
import { connect } from "./support/socket.ts";
import { makeDataDir } from "./support/template.ts";

type At = { url: string };

/** Sends it as it is. @returns the answer's head, "" where the connection was closed instead */
async function send(
  { url }: At,
  text: string,
  end: "waits" | "ends its half" | "leaves" = "waits",
): Promise<string> {
  const { hostname, port } = new URL(url);
  const conn = await Deno.connect({ hostname, port: Number(port) });
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16_384);
  async function head(): Promise<string> {
    for (let read = "";;) {
      const size = await conn.read(buffer);
      if (size === null) return read;
      read += decoder.decode(buffer.subarray(0, size), { stream: true });
      if (read.includes("\r\n\r\n")) return read;
    }
  }
  try {
    // Each letter a byte. What refuses it may close before all is written.
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    const writing = (async () => {
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
      if (end === "ends its half") await conn.closeWrite();
    })().catch(() => {});
    if (end === "leaves") {
      await writing;
      return "";
    }
    return await within(head().catch(() => ""), `an answer to ${text.slice(0, 60)}`);
  } finally {
    conn.close();
  }
}

const ask = (target: string, host: string, method = "GET", more = "") =>
  `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
const half = (path: string, host: string, type = "application/json") =>
  ask(path, host, "POST", `Content-Type: ${type}\r\nContent-Length: 1000\r\n`) + '{"a":';

const UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** Is refused with 400, or cut off. */
const REFUSED = /^(?:HTTP\/1\.1 400 |$)/;
/** Has an answer like any other. */
const ANSWERED = /^HTTP\/1\.[01] [234]\d\d /;

Deno.test("requests that are none are refused without a word, and everybody else goes on", async () => {
  const dataDir = await makeDataDir();
  const server = await startProcess({
    DATA_DIR: dataDir,
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
  });
  const host = new URL(server.url).host;
  const expected: [answer: RegExp, requests: string[]][] = [
    [REFUSED, [
      ...["[", "a b", "a:99999", "[::1", "a/live?", "a\\live?", "a?", "a#", "user:secret@a"]
        .flatMap((wrong) => [
          ask("/", wrong),
          ask("/api/auth/me", wrong),
          ask("/realtime", wrong, "GET", UPGRADE),
          ask("/socket.io/?EIO=4&transport=polling", wrong),
        ]),
      ask("/live", `a\r\nHost: b`),
      ...["http://[/live", "live", "*", "", "javascript:alert(1)", "/a b", "/a\0b", "/\xff\xfe"]
        .map((target) => ask(target, host)),
      ask(`/${"a".repeat(100_000)}`, host),
      ask("/live", host, "GET", `X: ${"y".repeat(900_000)}\r\n`),
      ask("/live", host, "GET", "X: y\r\n".repeat(2000)),
      ask("/live", host, "GET", "A b: c\r\n"),
      ask("/live", host, "CONNECT"),
      ask("/live", host).replace("1.1", "9.9"),
      "GET\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      ask("/api/sessions", host, "POST", "Content-Length: -5\r\n"),
      ask("/api/sessions", host, "POST", "Content-Length: 5\r\nContent-Length: 6\r\n"),
      ask("/api/sessions", host, "POST", "Transfer-Encoding: rubbish\r\n"),
      ask("/api/sessions", host, "POST", "Transfer-Encoding: chunked\r\n") + "zz\r\n{}\r\n",
    ]],
    [ANSWERED, [
      // Without a Host: HTTP/1.0 may, and the runtime does not tell which one it is.
      "GET /live HTTP/1.0\r\n\r\n",
      "GET /live HTTP/1.1\r\n\r\n",
      "GET /api/auth/me HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      ask("/live", ""),
      ask("http://elsewhere.example/live", host),
      ask("//[", host),
      ask("/%zz%00%ff/../../etc/passwd", host),
      ask("/%2e%2e%2f%2e%2e%2fetc/passwd", host),
      ask(`/api/conversations?${"a=1&".repeat(10_000)}`, host),
      ask("elsewhere.example:443", "elsewhere.example:443", "CONNECT"),
      ask("/live", host, "FOO^BAR"),
    ]],
  ];
  try {
    const { visitor } = await cast(server);
    const socket = await connect(server as never, { sessionId: visitor.sessionId });
    for (const [answer, requests] of expected) {
      for (const request of requests) {
        assert.match(await send(server, request), answer, JSON.stringify(request.slice(0, 200)));
      }
    }
    for (const path of ["/api/sessions", "/api/auth/login", "/login", "/realtime", "/api/none"]) {
      await send(server, half(path, host), "leaves");
      await send(server, half(path, host, "multipart/form-data; boundary=x"), "leaves");
      assert.match(await send(server, half(path, host), "ends its half"), /^(?:HTTP\/1\.1 4|$)/);
    }
    const chunked = ask("/api/sessions", host, "POST", "Transfer-Encoding: chunked\r\n");
    await send(server, `${chunked}5\r\n{"a":\r\n`, "leaves");

    await socket.ack("message", { content: "Still here", clientMessageId: "1" });
    await socket.close();
  } finally {
    assert.equal((await server.kill("SIGTERM")).code, 0);
    await Deno.remove(dataDir, { recursive: true });
  }
  // Warnings, errors, and what the runtime itself would say.
  assert.equal(server.output.join(""), "");
});

Deno.test("they are refused in the same way while the server is starting", async () => {
  const dataDir = await makeDataDir();
  const server = await startWaiting({
    DATA_DIR: dataDir,
    DATABASE_URL: `postgres://127.0.0.1:${freePort()}/none`,
  });
  const said = server.output.join("");
  try {
    for (const wrong of ["[", "a b", "a/live?", "user:secret@a"]) {
      assert.match(await send(server, ask("/live", wrong)), /^HTTP\/1\.1 400 [^]*bad_request/);
    }
    assert.match(await send(server, ask("/live", new URL(server.url).host)), /^HTTP\/1\.1 200 /);
  } finally {
    assert.equal((await server.kill("SIGTERM")).code, 0);
    await Deno.remove(dataDir, { recursive: true });
  }
  assert.equal(server.output.join(""), said);
});
