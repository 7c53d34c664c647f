/** What nobody should send, and somebody will. After each the server serves as before. */
import assert from "node:assert/strict";
import type { Conversation } from "../protocol/model.ts";
import { clientFrame, concat, frameHead, OPCODE } from "./faults/frames.ts";
import { openRaw, type RawClient } from "./faults/raw_client.ts";
import { startServerProcess, UNLIMITED } from "./faults/server_process.ts";
import { admit, type Patient } from "./faults/survival.ts";
import { call, openSession, widgetKey } from "./support/http.ts";

const AUTH_TIMEOUT_MS = 3000;
const MIB = 1024 * 1024;
const DEPTH = 100_000;

type Abuse = (patient: Patient) => Promise<void>;

/** Sends although the server may hang up in the middle. */
async function pour(client: RawClient, ...parts: Uint8Array[]): Promise<void> {
  try {
    for (const part of parts) await client.write(part);
  } catch {
    // It hung up.
  }
}

function codeOf(message: { data?: unknown }): string {
  return (message.data as { code: string }).code;
}

const errorOf = async (client: RawClient) =>
  codeOf(await client.until(({ type }) => type === "error", "an error"));

const frames: Record<string, Abuse> = {
  async "a 64 MiB frame, before and after authentication"({ open, enter }) {
    // The runtime drops what it will not read at all; what it reads is too large for us. Who takes
    // longer to send it than to authenticate is sent away for that.
    for (const [enters, codes] of [[open, [1006, 1009, 3006]], [enter, [1006, 1009]]] as const) {
      const client = await enters();
      await pour(client, clientFrame(OPCODE.text, new Uint8Array(64 * MIB).fill(120)));
      const { code } = await client.closed;
      client.destroy();
      assert.ok(codes.some((one) => one === code), `${code}`);
    }
  },

  async "frames of 63 MiB, several at once"({ open, enter }) {
    const huge = clientFrame(OPCODE.text, new Uint8Array(63 * MIB).fill(120));
    const [inside, ...strangers] = await Promise.all([enter(), open(), open()]);
    await Promise.all([inside, ...strangers].map((client) => pour(client, huge)));
    const codes = await Promise.all(strangers.map(async ({ closed }) => (await closed).code));
    const { code } = await inside.closed;
    for (const client of [inside, ...strangers]) client.destroy();
    assert.equal(code, 1009);
    assert.ok(codes.every((one) => [1009, 3006].includes(one)), `${codes}`);
  },

  async "frames that promise exabytes"({ open }) {
    const clients = await Promise.all(Array.from({ length: 50 }, () => open()));
    for (const client of clients) await pour(client, frameHead(OPCODE.text, 2 ** 52));
    await Promise.all(clients.map(({ closed }) => closed));
    for (const client of clients) client.destroy();
  },

  async "one message in endless fragments, whatever the server says"({ open, enter }) {
    const part = new Uint8Array(64 * 1024).fill(120);
    const first = clientFrame(OPCODE.text, part, { fin: false });
    const more = clientFrame(OPCODE.continuation, part, { fin: false });
    for (const client of [await open({ closes: false }), await enter({ closes: false })]) {
      await pour(client, first, ...Array.from({ length: 100 * MIB / part.length }, () => more));
      // The runtime collects fragments, and the process has no say in it, not even after its own
      // close: what can be asked for is that it serves on, and forgets them with the connection.
      client.destroy();
    }
  },

  async "the last of many fragments makes it too large"({ enter }) {
    const client = await enter();
    const part = new Uint8Array(MIB).fill(120);
    await pour(client, clientFrame(OPCODE.text, part, { fin: false }));
    for (let i = 0; i < 10; i++) {
      await pour(client, clientFrame(OPCODE.continuation, part, { fin: false }));
    }
    await pour(client, clientFrame(OPCODE.continuation, part));
    assert.equal((await client.closed).code, 1009);
  },

  async "a message in many small fragments, cut within characters"({ enter, conversationId }) {
    const client = await enter();
    const data = { conversationId, content: "Grüße 🙂", clientMessageId: "fragments" };
    const bytes = new TextEncoder().encode(JSON.stringify({ type: "message", id: 50, data }));
    for (let i = 0; i < bytes.length; i++) {
      const opcode = i === 0 ? OPCODE.text : OPCODE.continuation;
      await client.write(
        clientFrame(opcode, bytes.subarray(i, i + 1), { fin: i === bytes.length - 1 }),
      );
    }
    const ack = await client.until(({ id }) => id === 50, "the ack");
    assert.equal((ack.data as { message: { content: string } }).message.content, "Grüße 🙂");
    client.destroy();
  },

  async "binary where text is due"({ open, enter }) {
    for (const client of [await open(), await enter()]) {
      await client.write(clientFrame(OPCODE.binary, new Uint8Array(1000)));
      assert.equal(await errorOf(client), "bad_frame");
      await client.ask("ping", {});
      client.destroy();
    }
  },

  async "invalid UTF-8"({ open, enter }) {
    for (const client of [await open(), await enter()]) {
      await pour(client, clientFrame(OPCODE.text, new Uint8Array([0x22, 0xff, 0xfe, 0x22])));
      await client.closed;
      client.destroy();
    }
  },

  async "frames that RFC 6455 forbids"({ open }) {
    const unmasked = new Uint8Array([0x81, 0x02, 0x7b, 0x7d]);
    const reserved = clientFrame(OPCODE.text, "{}");
    reserved[0]! |= 0x40;
    const forbidden = [
      unmasked,
      reserved,
      clientFrame(0x3, "{}"),
      clientFrame(0xf, "{}"),
      clientFrame(OPCODE.continuation, "{}"),
      clientFrame(OPCODE.ping, "x", { fin: false }),
      clientFrame(OPCODE.ping, new Uint8Array(126)),
      concat(clientFrame(OPCODE.text, "{", { fin: false }), clientFrame(OPCODE.text, "}")),
    ];
    for (const bytes of forbidden) {
      const client = await open();
      await pour(client, bytes);
      await pour(client, clientFrame(OPCODE.close, new Uint8Array([3, 232])));
      await client.closed;
      client.destroy();
    }
  },

  async "close codes out of range"({ open, enter }) {
    const payloads = [0, 999, 1005, 1006, 1015, 1016, 2999, 5000, 65535]
      .map((code) => new Uint8Array([code >> 8, code & 255]));
    payloads.push(new Uint8Array([3]), new Uint8Array([3, 232, 0xff, 0xfe]));
    for (const payload of payloads) {
      for (const client of [await open(), await enter()]) {
        await pour(client, clientFrame(OPCODE.close, payload));
        await client.closed;
        client.destroy();
      }
    }
  },
};

const messages: Record<string, Abuse> = {
  async "JSON that is 100,000 levels deep"({ open, enter, server }) {
    const deep = "[".repeat(DEPTH) + "]".repeat(DEPTH);
    const nested = `${'{"a":'.repeat(DEPTH)}1${"}".repeat(DEPTH)}`;
    for (const client of [await open(), await enter()]) {
      const lines = [
        deep,
        nested,
        `{"type":"ping","data":${deep}}`,
        `{"type":"message","data":${nested}}`,
        `{"type":"message","data":{"content":${deep},"clientMessageId":"deep"}}`,
        `{"type":${deep}}`,
        `{"type":"ping","id":${nested}}`,
        "[".repeat(DEPTH),
      ];
      for (const line of lines) await client.text(line);
      assert.equal((await client.ask("ping", {})).type, "ack");
      client.destroy();
    }
    for (const body of [deep, nested, `{"email":${deep},"password":${nested}}`]) {
      const { status } = await call(server, "POST", "/api/auth/login", { body });
      assert.ok(status >= 400 && status < 500, `${status}`);
    }
  },

  async "keys of every object's prototype"({ open, enter, server }) {
    const poison = '{"principal":{"kind":"agent"},"kind":"agent","role":"admin","isPrivate":true}';
    for (const client of [await open(), await enter()]) {
      const types = ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"];
      for (const type of types) {
        const answer = await client.ask(type as "ping", {});
        assert.equal(codeOf(answer), "unknown_type");
      }
      const lines = [
        `{"__proto__":${poison},"type":"ping","id":90}`,
        `{"type":"history","id":91,"data":{"__proto__":${poison}}}`,
        `{"type":"message","id":92,"data":{"constructor":{"prototype":${poison}}}}`,
        `{"type":"page","id":93,"data":{"url":"x","title":"y","__proto__":${poison}}}`,
      ];
      for (const [i, line] of lines.entries()) {
        await client.text(line);
        const answer = await client.until(({ id }) => id === 90 + i, line);
        if (answer.type === "error") assert.notEqual(codeOf(answer), "internal");
      }
      client.destroy();
    }
    for (const path of ["/api/auth/login", "/api/sessions", "/api/setup"]) {
      const { status } = await call(server, "POST", path, { body: `{"__proto__":${poison}}` });
      assert.ok(status >= 400 && status < 500, `${path}: ${status}`);
    }
    const stranger = await open();
    const answer = await stranger.ask("message", { content: "hi", clientMessageId: "proto" });
    assert.equal(codeOf(answer), "unauthenticated");
    stranger.destroy();
  },

  async "frames before and during authentication"({ open, visitor, conversationId }) {
    const early = await open();
    assert.equal(codeOf(await early.ask("join", { conversationId })), "unauthenticated");
    const auth = { type: "auth", data: { sessionId: visitor.sessionId } };
    const frame = (message: unknown) => clientFrame(OPCODE.text, JSON.stringify(message));
    await early.write(concat(
      frame({ ...auth, id: "first" }),
      frame({ ...auth, id: "second" }),
      frame({ type: "join", id: "join", data: { conversationId } }),
    ));
    const answer = async (id: string) => await early.until((message) => message.id === id, id);
    assert.equal((await answer("first")).type, "ack");
    assert.equal(codeOf(await answer("second")), "conflict");
    assert.equal((await answer("join")).type, "ack");
    early.destroy();

    const flood = await open();
    for (let i = 0; i < 100; i++) await pour(flood, frame({ type: "ping" }));
    assert.equal((await flood.closed).code, 1009);
    assert.equal(await errorOf(flood), "too_large");
    flood.destroy();
  },

  async "10,000 subscriptions on one connection"({ server, agent }) {
    const key = await widgetKey(server as never, agent.token);
    const ids: string[] = [];
    while (ids.length < 129) {
      const { sessionId: token } = await openSession(server as never, key);
      const opened = await call<Conversation>(server, "POST", "/api/conversations", {
        token,
        body: {},
      });
      ids.push(opened.body.id);
    }
    while (ids.length < 10_000) ids.push(crypto.randomUUID());
    const client = await openRaw(server.url);
    await client.ack("auth", { token: agent.token });
    const answers: string[] = [];
    for (let at = 0; at < ids.length; at += 100) {
      const part = ids.slice(at, at + 100);
      const asked = part.map((conversationId) => client.ask("join", { conversationId }));
      for (const answer of await Promise.all(asked)) {
        answers.push(answer.type === "ack" ? "joined" : codeOf(answer));
      }
      client.received.length = 0;
    }
    assert.ok(answers.slice(0, 128).every((answer) => answer === "joined"));
    assert.ok(answers.slice(128).every((answer) => answer === "too_many_subscriptions"));
    client.destroy();
  },
};

const crowds: Record<string, Abuse> = {
  async "sockets that never send"({ open, server }) {
    const { hostname, port } = new URL(server.url);
    const mute = await Promise.all(
      Array.from({ length: 100 }, () => Deno.connect({ hostname, port: Number(port) })),
    );
    for (const conn of mute.slice(50)) {
      await conn.write(new TextEncoder().encode("GET /realtime HTTP/1.1\r\nHost: x\r\n"));
    }
    const silent = await Promise.all(Array.from({ length: 50 }, () => open()));
    const codes = await Promise.all(silent.map(async ({ closed }) => (await closed).code));
    assert.ok(codes.every((code) => code === 3006), codes.join());
    for (const conn of mute) conn.close();
  },

  async "2,000 connects and drops in a burst"({ open, server, visitor }) {
    const { hostname, port } = new URL(server.url);
    const ways: (() => Promise<void>)[] = [
      async () => (await Deno.connect({ hostname, port: Number(port) })).close(),
      async () => {
        const conn = await Deno.connect({ hostname, port: Number(port) });
        await conn.write(new TextEncoder().encode("GET /realtime HTTP/1.1\r\nUpgrade: web"));
        conn.close();
      },
      async () => (await open()).destroy(),
      // Unread bytes make the close a reset.
      async () => (await open({ reading: false })).destroy(),
      async () => {
        const protocols = ["parley.v1", `parley.session.${visitor.sessionId}`];
        const client = await open({ protocols, reading: false });
        await pour(client, clientFrame(OPCODE.text, '{"type":"ping"}'));
        client.destroy();
      },
    ];
    for (let done = 0; done < 2000; done += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, i) => ways[i % ways.length]!()));
    }
  },
};

Deno.test("whatever is sent, the server serves on and its memory returns", async (t) => {
  const server = await startServerProcess("pglite", {
    ...UNLIMITED,
    AUTH_TIMEOUT_MS: `${AUTH_TIMEOUT_MS}`,
    // Large enough for the deep JSON to be read at all.
    MAX_MESSAGE_BYTES: `${2 * MIB}`,
    MAX_PRE_AUTH_BYTES: `${8 * MIB}`,
  });
  const { pid } = server;
  try {
    const patient = await admit(server);
    for (const [name, abuse] of Object.entries({ ...frames, ...messages, ...crowds })) {
      await t.step(name, async () => {
        await abuse(patient);
        await patient.isWell();
      });
    }
    patient.witness.destroy();
    assert.equal(server.pid, pid);
    assert.deepEqual(server.errors, [], "nothing unexpected was reported");
  } finally {
    await server.close();
  }
});
