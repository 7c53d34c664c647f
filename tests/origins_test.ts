/** Websites that a widget allows, and no longer allows, as sockets see them. */
import assert from "node:assert/strict";
import { io } from "socket.io-client";
import type { ErrorData } from "../protocol/native.ts";
import { within } from "./support/deadline.ts";
import { call, login, openSession } from "./support/http.ts";
import { startServer } from "./support/server.ts";
import { TestSocket } from "./support/socket.ts";

const SHOP = "https://shop.example";
const BLOG = "https://blog.example";
const OTHER = "https://other.example";

Deno.test("a socket belongs to a website that its widget allows, from its first moment to its last", async (t) => {
  // All three may open sockets; what a widget's visitor may is another question.
  const server = await startServer("pglite", { FRONTEND_URL: [SHOP, BLOG, OTHER].join(",") });
  try {
    const { token } = await login(server);
    const made = await call<{ id: string; widgetKey: string }>(
      server,
      "POST",
      "/api/widget-configs",
      { token, body: { name: "Shop", allowedOrigins: [SHOP, BLOG] } },
    );
    const { id, widgetKey } = made.body;
    const { sessionId } = await openSession(server, widgetKey);
    const from = async (origin: string | null) => {
      const headers: Record<string, string> = origin === null ? {} : { origin };
      const socket = new TestSocket(server.url, ["parley.v1"], headers);
      await socket.event("welcome");
      return { socket, answer: await socket.ask("auth", { sessionId }) };
    };

    await t.step("a website that only others allow cannot authenticate", async () => {
      const { socket, answer } = await from(OTHER);
      assert.equal((answer.data as ErrorData).code, "origin_not_allowed");
      const next = await socket.ask("history", { conversationId: crypto.randomUUID() });
      assert.equal((next.data as ErrorData).code, "unauthenticated");
      await socket.close();
    });

    await t.step(
      "sockets of a website that leaves the list are closed, and no others",
      async () => {
        const [shop, blog, program] = await Promise.all([from(SHOP), from(BLOG), from(null)]);
        for (const { answer } of [shop, blog, program]) assert.equal(answer.type, "ack");
        const socketIo = io(server.url, {
          transports: ["websocket"],
          extraHeaders: { origin: SHOP },
          auth: { sessionId },
          forceNew: true,
        });
        const ended = new Promise((resolve) => socketIo.once("disconnect", resolve));
        await within(
          new Promise((resolve) => socketIo.once("authenticated", resolve)),
          "Socket.IO's authentication",
        );
        const changed = await call(server, "PATCH", `/api/widget-configs/${id}`, {
          token,
          body: { allowedOrigins: [BLOG] },
        });
        assert.equal(changed.status, 200);
        assert.equal((await shop.socket.closed).code, 3503);
        assert.equal(await within(ended, "the end of Socket.IO"), "io server disconnect");
        for (const { socket } of [blog, program]) {
          assert.equal((await socket.ask("ping", {})).type, "ack");
          await socket.close();
        }
        const again = await from(SHOP);
        assert.equal((again.answer.data as ErrorData).code, "origin_not_allowed");
        await again.socket.close();
      },
    );
    assert.deepEqual(server.errors, []);
  } finally {
    await server.close();
  }
});
