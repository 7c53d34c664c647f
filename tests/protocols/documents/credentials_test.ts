/** Credentials of the documents' clients, and the queue that they send right behind them. */
import assert from "node:assert/strict";
import { io } from "socket.io-client";
import { call, cast } from "../../support/http.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { SocketIoPeer } from "../socket_io_peer.ts";
import { type Frame, Line } from "./line.ts";

/** More than MAX_PRE_AUTH_MESSAGES, which is about what comes before credentials. */
const COUNT = 30;
const NUMBERS = Array.from({ length: COUNT }, (_, number) => number);
const text = (number: number) => `Queued ${number}`;

interface Case {
  name: string;
  path: string;
  /** Sent first in `onopen`. */
  first?: unknown;
  protocols?: string[];
  frame: (number: number) => unknown;
  /** Which answer each queued frame gets, in order. */
  answer: (frame: Frame) => boolean;
  /** Of an answer: the number of its frame, where it tells. */
  numberOf?: (frame: Frame) => unknown;
  /** What an answer tells of its frame, where that is not its number. */
  expected?: (number: number) => unknown;
}

async function casesFor(server: TestServer): Promise<Case[]> {
  const { agent, visitor, conversation } = await cast(server);
  const { token } = agent;
  const { sessionId } = visitor;
  const chatJson = {
    frame: (number: number) => ({ type: "chat", payload: { content: text(number) } }),
    answer: (frame: Frame) => frame.type === "chat",
    numberOf: (frame: Frame) => frame.payload.content,
  };
  const scopedChat = {
    frame: (number: number) => ({ type: "message", data: { content: text(number) } }),
    answer: (frame: Frame) => frame.type === "message",
    numberOf: (frame: Frame) => frame.data.content,
  };
  const scoped = {
    frame: (number: number) => ({ type: "ping", id: `p${number}` }),
    answer: (frame: Frame) => frame.type === "pong",
    numberOf: (frame: Frame) => Number(frame.id.slice(1)),
  };
  // By turns, so that each answer tells which command it is of.
  const actions = ["subscribe", "unsubscribe"];
  const topics = {
    frame: (number: number) => ({
      type: "subscription",
      action: actions[number % 2],
      topic: "conversationEvent",
      resourceID: conversation.id,
    }),
    answer: (frame: Frame) => frame.type === "subscription",
    numberOf: (frame: Frame) => frame.action,
    expected: (number: number) => `${actions[number % 2]}d`,
  };
  const native = {
    frame: (number: number) => ({
      type: "message",
      id: `m${number}`,
      data: {
        conversationId: conversation.id,
        content: text(number),
        clientMessageId: crypto.randomUUID(),
      },
    }),
    answer: (frame: Frame) => frame.type === "ack" && /^m/.test(String(frame.id)),
    numberOf: (frame: Frame) => frame.data.message.content,
  };
  const query = (more: Record<string, string>) => `?${new URLSearchParams(more)}`;
  return [
    { name: "chat JSON, address", path: `/ws${query({ sessionId })}`, ...chatJson },
    {
      name: "chat JSON, first frame",
      path: "/ws",
      first: { type: "auth", payload: { sessionId } },
      ...chatJson,
    },
    {
      name: "scoped chat, address",
      path: `/api/chat/ws${query({ token, contextId: "queue_1" })}`,
      ...scopedChat,
    },
    {
      name: "scoped chat, first frame",
      path: "/api/chat/ws",
      first: { type: "auth", token, contextId: "queue_2" },
      ...scopedChat,
    },
    { name: "analytics, address", path: `/api/analytics/ws${query({ token })}`, ...scoped },
    {
      name: "collaboration, first frame",
      path: "/api/collaboration/ws",
      first: { type: "auth", token, contextId: "queue_1" },
      ...scoped,
    },
    { name: "topics, address", path: `/api/v1/ws${query({ token })}`, ...topics },
    { name: "topics, first frame", path: "/api/v1/ws", first: { type: "auth", token }, ...topics },
    {
      name: "native, subprotocol",
      path: "/realtime",
      protocols: ["parley.v1", `parley.token.${token}`],
      ...native,
    },
    {
      name: "native, first frame",
      path: "/realtime",
      first: { type: "auth", id: "auth", data: { token } },
      ...native,
    },
  ];
}

Deno.test("what is sent behind the credentials waits for their answer", async (t) => {
  const server = await startServer("pglite");
  try {
    for (
      const { name, path, first, protocols, frame, answer, numberOf, expected } of await casesFor(
        server,
      )
    ) {
      await t.step(name, async () => {
        const line = new Line(server.url + path, {
          ...(protocols === undefined ? {} : { protocols }),
          onopen(send) {
            if (first !== undefined) send(first);
            for (const number of NUMBERS) send(frame(number));
          },
        });
        const answers = await line.untilAll(COUNT, answer, "an answer");
        if (numberOf !== undefined) {
          const told = expected ?? (typeof numberOf(answers[0]) === "number" ? Number : text);
          assert.deepEqual(answers.map(numberOf), NUMBERS.map((number) => told(number)));
        }
        assert.equal(line.frames.some(({ type }) => type === "error"), false);
        await line.close();
      });
    }
    for (const inHandshake of [true, false]) {
      await t.step(`Socket.IO, ${inHandshake ? "handshake" : "authenticate"}`, async () => {
        const { visitor: { sessionId }, conversation } = await cast(server);
        const socket = io(server.url, {
          transports: ["websocket"],
          forceNew: true,
          ...(inHandshake ? { auth: { sessionId } } : {}),
        });
        const received: string[] = [];
        const all = Promise.withResolvers<void>();
        const deadline = setTimeout(() => all.reject(new Error(`Got ${received}`)), 10_000);
        socket.on("connect", () => {
          if (!inHandshake) socket.emit("authenticate", { sessionId });
          socket.emit("join_conversation", conversation.id);
          for (const number of NUMBERS) {
            socket.emit("send_message", { conversationId: conversation.id, content: text(number) });
          }
        });
        socket.on("error", (error) => all.reject(error));
        socket.on("message_received", ({ content }) => {
          received.push(content);
          if (received.length === COUNT) all.resolve();
        });
        try {
          await all.promise;
          assert.deepEqual(received, NUMBERS.map(text));
        } finally {
          clearTimeout(deadline);
          socket.disconnect();
        }
      });
    }
  } finally {
    await server.close();
  }
});

Deno.test("past the bounds the error names the limit", async () => {
  const server = await startServer("pglite", {
    MAX_PENDING_COMMANDS: "40",
    MAX_PRE_AUTH_BYTES: "20000",
  });
  try {
    const { visitor: { sessionId } } = await cast(server);
    const chat = (content: string) => ({ type: "chat", payload: { content } });
    const many = new Line(`${server.url}/ws?sessionId=${sessionId}`, {
      onopen: (send) => NUMBERS.concat(NUMBERS).forEach(() => send(chat("x"))),
    });
    const overloaded = await many.until(({ type }) => type === "error", "overloaded");
    assert.equal(overloaded.payload.code, "overloaded");
    assert.equal(overloaded.payload.limit, "MAX_PENDING_COMMANDS");
    assert.match(overloaded.payload.message, /more than 40 commands wait/);
    assert.equal((await many.untilClosed()).code, 1008);

    const large = new Line(`${server.url}/ws`, {
      onopen: (send) => send(chat("x".repeat(21_000))),
    });
    const tooLarge = await large.until(({ type }) => type === "error", "too_large");
    assert.equal(tooLarge.payload.limit, "MAX_PRE_AUTH_BYTES");
    assert.match(tooLarge.payload.message, /more than 20000 bytes/);
    assert.equal((await large.untilClosed()).code, 1009);
  } finally {
    await server.close();
  }
});

Deno.test("of a token and a session the token counts, or it is said what is wrong", async () => {
  const server = await startServer("pglite");
  try {
    const { agent, visitor: { sessionId }, conversation } = await cast(server);
    const { token } = agent;
    const both = { token, sessionId };
    const { id } = agent.user;
    const first = async (path: string, frame: unknown) => {
      const line = new Line(server.url + path, { onopen: (send) => frame && send(frame) });
      const answer = await line.until(({ type }) => !["system", "welcome"].includes(type), path);
      await line.close();
      return answer;
    };
    const query = `?${new URLSearchParams(both)}`;
    for (const [path, frame] of [[`/ws${query}`], ["/ws", { type: "auth", payload: both }]]) {
      assert.equal((await first(path as string, frame)).payload.userId, id);
    }
    for (
      const [path, frame] of [[`/api/v1/ws${query}`], ["/api/v1/ws", { type: "auth", ...both }]]
    ) {
      assert.equal((await first(path as string, frame)).actorID, id);
    }
    const scoped = { type: "auth", contextId: "both", ...both };
    for (const kind of ["chat", "analytics", "collaboration"]) {
      const path = `/api/${kind}/ws`;
      assert.equal((await first(path, scoped)).data.userId, id, path);
      const error = await first(path, { ...scoped, token: null });
      assert.match(error.error, /"token" is needed here/);
      assert.match((await first(`${path}?sessionId=x`, undefined)).error, /"token" is needed here/);
    }
    const native = new Line(`${server.url}/realtime`, {
      protocols: ["parley.v1", `parley.session.${sessionId}`, `parley.token.${token}`],
    });
    assert.equal((await native.until((frame) => frame.id === "auth", "ack")).data.userId, id);
    await native.close();
    // parley.v1 takes exactly one, and says so.
    const strict = await first("/realtime", { type: "auth", id: "1", data: both });
    assert.match(strict.error, /exactly one of token and sessionId/);

    for (const inHandshake of [true, false]) {
      const peer = new SocketIoPeer(server.url, inHandshake ? { auth: both } : {});
      if (!inHandshake) peer.socket.emit("authenticate", both);
      assert.equal((await peer.until("authenticated")).userId, id);
      await peer.close();
    }
    const events = `/api/v1/conversations/${conversation.id}/events`;
    for (const given of [query, `?token=&sessionId=${sessionId}`]) {
      assert.equal((await call(server, "GET", events + given)).status, 200, given);
    }
  } finally {
    await server.close();
  }
});
