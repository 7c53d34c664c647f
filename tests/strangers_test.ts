/** What somebody without rights, or without credentials, can do to everybody else. */
import assert from "node:assert/strict";
import type { ErrorData } from "../protocol/native.ts";
import { call, cast, openSession, post } from "./support/http.ts";
import { startServer } from "./support/server.ts";
import { connect } from "./support/socket.ts";
import { within } from "./support/deadline.ts";

Deno.test("addresses of one IPv6 /64 share every limit, and posts of strangers use up nothing", async (t) => {
  const server = await startServer("pglite", {
    TRUSTED_PROXIES: "127.0.0.1",
    LIMIT_SESSIONS_PER_MINUTE: "4",
    LIMIT_CONNECTIONS_PER_MINUTE: "3",
    LIMIT_LOGINS_PER_MINUTE: "1",
    LIMIT_ROOM_BROADCASTS_PER_MINUTE: "5",
  });
  const from = (address: string) => ({ "x-forwarded-for": address });
  try {
    const { agent, key, visitor, conversation } = await cast(server);
    const stranger = await openSession(server, key);

    await t.step("sessions", async () => {
      const statuses = [];
      for (let i = 1; i <= 12; i++) {
        const { status } = await call(server, "POST", "/api/sessions", {
          body: { widgetKey: key },
          headers: from(`2001:db8:0:7::${i.toString(16)}`),
        });
        statuses.push(status);
      }
      assert.deepEqual(statuses, [200, 200, 200, 200, ...Array(8).fill(429)]);
    });

    await t.step("sign-ins", async () => {
      const statuses = new Set<number>();
      for (let i = 1; i <= 6; i++) {
        const { status } = await call(server, "POST", "/api/auth/login", {
          body: { email: `nobody${i}@example.com`, password: "wrong wrong wrong" },
          headers: from(`2001:db8:0:8::${i.toString(16)}`),
        });
        statuses.add(status);
      }
      assert.deepEqual([...statuses], [401, 429]);
    });

    await t.step("sockets", async () => {
      const refused = [];
      for (let i = 1; i <= 4; i++) {
        const headers = from(`2001:db8:0:9::${i.toString(16)}`);
        const url = server.url.replace("http", "ws") + "/realtime";
        const socket = new WebSocket(url, { headers } as unknown as string[]);
        const first = await new Promise<string>((resolve) => {
          socket.onmessage = ({ data }) => resolve(String(data));
        });
        refused.push(JSON.parse(first).type === "error");
        socket.close();
        await within(new Promise((resolve) => socket.onclose = resolve), "the close of a socket");
      }
      assert.deepEqual(refused, [false, false, false, true]);
    });

    await t.step("posts of a stranger", async () => {
      const socket = await connect(server, { sessionId: stranger.sessionId });
      for (let i = 0; i < 4; i++) {
        const answer = await call(
          server,
          "POST",
          `/api/conversations/${conversation.id}/messages`,
          {
            token: stranger.sessionId,
            body: { content: "not mine", clientMessageId: `rest-${i}` },
          },
        );
        assert.equal(answer.status, 404);
        const { data } = await socket.ask("message", {
          conversationId: conversation.id,
          content: "not mine",
          clientMessageId: `socket-${i}`,
        });
        assert.equal((data as ErrorData).code, "not_found");
      }
      await socket.close();
      for (let i = 0; i < 5; i++) {
        await post(server, visitor.sessionId, conversation.id, "mine", `${i}`);
      }
      // Said again, nothing is told to anybody.
      for (let i = 0; i < 5; i++) {
        await post(server, visitor.sessionId, conversation.id, "mine", `${i}`);
      }
      const sixth = await call<ErrorData>(
        server,
        "POST",
        `/api/conversations/${conversation.id}/messages`,
        { token: agent.token, body: { content: "one more", clientMessageId: "6" } },
      );
      assert.equal(sixth.status, 429);
      assert.equal(sixth.body.limit, "LIMIT_ROOM_BROADCASTS_PER_MINUTE");
    });
  } finally {
    await server.close();
  }
});
