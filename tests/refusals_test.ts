/** Whatever is refused before it is handled says which command it was, on every protocol. */
import assert from "node:assert/strict";
import { io } from "socket.io-client";
import { ParleyClient } from "../client/mod.ts";
import type { ErrorData } from "../protocol/native.ts";
import { call, cast } from "./support/http.ts";
import { startServer, type TestServer } from "./support/server.ts";
import { connect } from "./support/socket.ts";
import { open } from "./protocols/scoped_peer.ts";

// deno-lint-ignore no-explicit-any -- the forms of five protocols, checked field by field
type Line = any;

const LARGE = "x".repeat(70_000);
const NUL = "a\\u0000b";
/** Frames that are refused unread, around what names them. */
const unread = (named: string): [frame: string, code: string][] => [
  [`{${named},"data":{"content":"${NUL}"}}`, "bad_json"],
  [`{"data":{"content":"${NUL}"},${named}}`, "bad_json"],
  [`{${named},"data":{"content":"half`, "bad_json"],
  [`{${named},"data":{"content":"${LARGE}"}}`, "too_large"],
  [`{"data":{"content":"${LARGE}"},${named}}`, "too_large"],
  [`{${named},"data":{"n":9007199254740993}}`, "invalid"],
  [`{${named},"data":{"n":1e400}}`, "invalid"],
  [`{${named},"data":{"__proto__":1}}`, "invalid"],
];

/** Frames in, messages out, with a deadline. */
async function talk(server: TestServer, path: string, frames: string[], count = frames.length) {
  const socket = new WebSocket(server.url.replace(/^http/, "ws") + path);
  const lines: Line[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error(`Got only ${JSON.stringify(lines)}`)), 30_000);
  socket.onopen = () => frames.forEach((frame) => socket.send(frame));
  socket.onmessage = ({ data }) => {
    for (const text of data.split("\n")) {
      const line = JSON.parse(text);
      if (line.type === "error") lines.push(line);
    }
    if (lines.length >= count) resolve();
  };
  const closed = new Promise<number>((done) => socket.onclose = ({ code }) => done(code));
  closed.then(() => resolve());
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
  return { lines, closed: await closed };
}

Deno.test("what is refused unread is answered by its id, on every protocol", async (t) => {
  const server = await startServer("pglite", { MAX_PRE_AUTH_MESSAGES: "50" });
  try {
    const { agent, visitor, conversation } = await cast(server);
    await t.step("native", async () => {
      for (const id of ["c1", 7]) {
        const cases = unread(`"type":"message","id":${JSON.stringify(id)}`);
        const { lines } = await talk(server, "/realtime", cases.map(([frame]) => frame));
        assert.deepEqual(
          lines.map((line) => [line.id, line.data.code]).sort(),
          cases.map(([, code]) => [id, code]).sort(),
        );
      }
      // Every command of a frame that is too large as a whole.
      const both = `{"type":"ping","id":1}\n{"type":"ping","id":2,"data":"${LARGE}"}`;
      const { lines } = await talk(server, "/realtime", [both], 2);
      assert.deepEqual(lines.map(({ id }) => id), [1, 2]);
      const odd = ["{", '"x"', `{"id":"${"x".repeat(65)}"`, '{"id":{"id":"x"}', '{"id":"\\u0000"'];
      const none = await talk(server, "/realtime", odd);
      assert.deepEqual(none.lines.map(({ id }) => id), odd.map(() => undefined));
    });

    await t.step("far too large: by its id, then with the reason of the close", async () => {
      const frame = `{"type":"message","id":"c1","data":{"content":"${"x".repeat(300_000)}"}}`;
      const socket = await connect(server, { token: agent.token });
      socket.raw(frame);
      assert.equal((await socket.closed).code, 1009);
      const errors = socket.received.filter(({ type }) => type === "error");
      assert.deepEqual(errors.map(({ id }) => id), ["c1", undefined]);
    });

    await t.step("chat JSON", async () => {
      const frames = [
        `{"type":"chat","payload":{"id":"m1","content":"${NUL}"}}`,
        `{"type":"chat","payload":{"content":"${LARGE}","id":"m1"}}`,
        `{"type":"chat","payload":{"id":"m1","content":"x"},"clientId":7}`,
        `{"type":"chat","payload":{"id":"m1","content":"x"`,
      ];
      const { lines } = await talk(server, "/ws", frames);
      // What is too large is refused as it arrives, the others in their turn.
      assert.deepEqual(lines.map(({ payload }) => payload.id), frames.map(() => "m1"));
    });

    await t.step("scoped", async () => {
      const ask = async (frame: string) => {
        const peer = await open(server, "chat", {
          token: agent.token,
          contextId: "booking-1",
          lastSeq: 0,
        });
        await peer.until(({ type }) => type === "authenticated");
        peer.send(frame);
        const line = await peer.until(({ type }) => type === "error");
        await peer.close();
        return [line.id, line.data.code];
      };
      for (const [frame, code] of unread('"type":"message","id":"c1"')) {
        assert.deepEqual(await ask(frame), ["c1", code], frame.slice(0, 80));
      }
      assert.deepEqual(await ask('{"id":"c1","data":{}}'), ["c1", "bad_frame"]);
    });

    await t.step("topics", async () => {
      const cases = unread('"type":"subscription","topic":"conversation","resourceID":"r1"');
      const { lines } = await talk(server, "/api/v1/ws", cases.map(([frame]) => frame));
      assert.deepEqual(
        lines.map(({ topic, resourceID, code }) => [topic, resourceID, code]).sort(),
        cases.map(([, code]) => ["conversation", "r1", code]).sort(),
      );
    });

    await t.step("Socket.IO", async () => {
      const socket = io(server.url, {
        transports: ["websocket"],
        auth: { sessionId: visitor.sessionId },
        forceNew: true,
      });
      await new Promise((resolve) => socket.once("authenticated", resolve));
      const values: [unknown, string, string?][] = [
        [{ content: LARGE }, "too_large"],
        [{ content: "a\0b" }, "bad_frame", "content"],
        [{ content: "x", n: 2 ** 60 }, "invalid", "n"],
        [{ content: "x", text: "\ud83d" }, "invalid", "text"],
        [JSON.parse('{"content":"x","__proto__":1}'), "invalid", "__proto__"],
      ];
      for (const [value, code, path] of values) {
        const answer = await socket.timeout(30_000).emitWithAck("send_message", value);
        assert.deepEqual([answer.success, answer.code, answer.fields?.[0]?.path], [
          false,
          code,
          path,
        ]);
      }
      const cut = await socket.timeout(30_000).emitWithAck("send_message", {
        content: "cut \ud83d",
      });
      assert.equal(cut.success, true);
      socket.disconnect();
    });

    await t.step("the SDK gives up what can never be accepted, and goes on", async () => {
      const client = new ParleyClient({
        url: server.url,
        credentials: () => ({ token: agent.token }),
        ackTimeoutMs: 60_000,
      });
      try {
        await client.connect();
        const conversationId = conversation.id;
        const contents = ["a\0b", "x".repeat(20_001), " ", "x".repeat(69_000), "goes on"];
        const sent = contents.map((content) => client.send({ conversationId, content }));
        const outcomes = await Promise.allSettled(sent);
        assert.deepEqual(
          outcomes.map((outcome) => outcome.status === "rejected" ? outcome.reason.code : "sent"),
          ["bad_json", "invalid", "invalid", "too_large", "sent"],
        );
        const failed = client.pending();
        assert.deepEqual(failed.map(({ state }) => state), Array(4).fill("failed"));
        assert.match(failed[0]!.error!, /U\+0000/);
      } finally {
        client.close();
      }
    });
    assert.deepEqual(server.errors, []);
  } finally {
    await server.close();
  }
});

Deno.test("values that would become others are refused with their path, wherever JSON is kept", async (t) => {
  const server = await startServer("pglite");
  try {
    const { agent: { user, token }, key, conversation, visitor } = await cast(server);
    const lossy: [json: string, path: string][] = [
      ["9007199254740993", ""],
      ["1e400", ""],
      ['"\\ud83d"', ""],
      ['{"__proto__":1}', ".__proto__"],
      ['{"\\ud83d":1}', ".\ufffd"],
      ["[[1e400]]", ".0.0"],
    ];
    const entrances: [string, string, (json: string) => string, string, string?][] = [
      ["POST", `/api/users/${user.id}/events`, (x) => `{"event":"e","data":{"a":${x}}}`, "data.a"],
      ["POST", "/api/broadcast", (x) => `{"event":"e","data":{"a":${x}}}`, "data.a"],
      ["POST", "/api/sessions", (x) => `{"widgetKey":"${key}","attributes":${x}}`, "attributes"],
      ["POST", "/api/context-rules", (x) => `{"name":"r","conditions":${x}}`, "conditions"],
      [
        "POST",
        `/api/conversations/${conversation.id}/messages`,
        (x) => `{"content":"x","clientMessageId":"c","metadata":${x}}`,
        "metadata",
      ],
    ];
    for (const [method, path, body, at] of entrances) {
      await t.step(`${method} ${path.replace(/[0-9a-f-]{36}/, "{id}")}`, async () => {
        for (const [json, below] of lossy) {
          const answer = await call<Line>(server, method, path, { token, body: body(json) });
          assert.equal(answer.status, 422, json);
          assert.equal(answer.body.fields[0].path, at + below, json);
        }
      });
    }
    await t.step("filters of tables, on the socket", async () => {
      const socket = await connect(server, { token });
      for (const [json, below] of lossy) {
        const filter = `{"table":"messages","filter":{"seq":${json}}}`;
        socket.raw(`{"type":"subscribe","id":"s","data":${filter}}`);
        const answer = await socket.until(({ id }) => id === "s");
        const { code, fields } = answer.data as ErrorData;
        assert.deepEqual([code, fields![0]!.path], ["invalid", `filter.seq${below}`], json);
        socket.received.length = 0;
      }
      await socket.close();
    });
    await t.step("what is no trouble arrives as it was sent", async () => {
      const data = { constructor: "Bouygues", prototype: [1e20, -0.1, 2 ** 53 - 1], emoji: "😀" };
      const socket = await connect(server, { token });
      const sent = await call(server, "POST", `/api/users/${user.id}/events`, {
        token,
        body: { event: "e", data },
      });
      assert.equal(sent.status, 200);
      assert.deepEqual((await socket.event("user_event")).data, data);
      await socket.close();
      const cut = await call<Line>(
        server,
        "POST",
        `/api/conversations/${conversation.id}/messages`,
        {
          token: visitor.sessionId,
          body: '{"content":"cut \\ud83d","clientMessageId":"cut"}',
        },
      );
      assert.equal(cut.body.content, "cut \ufffd");
    });
    assert.deepEqual(server.errors, []);
  } finally {
    await server.close();
  }
});
