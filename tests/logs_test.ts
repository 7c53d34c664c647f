import assert from "node:assert/strict";
import { cast } from "./support/http.ts";
import { startProcess } from "./support/process.ts";
import { ADMIN } from "./support/server.ts";
import { connect, TestSocket } from "./support/socket.ts";
import { makeDataDir } from "./support/template.ts";

type Entry = Record<string, unknown> & { message: string; level: string };

Deno.test("logs name connection, user and conversation, and nothing that opens a door", async () => {
  const dataDir = await makeDataDir();
  const server = await startProcess({
    DATA_DIR: dataDir,
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
    LOG_LEVEL: "debug",
    LIMIT_TYPING_PER_MINUTE: "1",
  });
  const entries = () =>
    [server.logs, server.output].flatMap((chunks) => chunks.join("").split("\n"))
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Entry);
  const entry = async (message: string, fits: (entry: Entry) => boolean = () => true) => {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const found = entries().find((one) => one.message === message && fits(one));
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`No "${message}" in ${server.logs.join("")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  try {
    const { agent, visitor, conversation } = await cast(server);
    const secret = "what Vi wrote is nobody's business";
    const socket = await connect(server, { sessionId: visitor.sessionId });
    await socket.ack("join", { conversationId: conversation.id });
    const { message } = await socket.ack("message", { content: secret, clientMessageId: "m1" });
    for (let i = 0; i < 3; i++) {
      await socket.ask("typing", { conversationId: conversation.id, isTyping: true });
    }
    // Credentials in an address, good and bad.
    for (const token of [agent.token, `${agent.token}x`]) {
      const other = new WebSocket(`${server.url.replace("http", "ws")}/api/v1/ws?token=${token}`);
      await new Promise((resolve) => other.onopen = resolve);
      const ended = new Promise((resolve) => other.onclose = resolve);
      other.onmessage = () => other.close();
      await ended;
    }
    const nobody = new TestSocket(server.url);
    await nobody.event("welcome");
    await nobody.ask("auth", { token: "e30.e30.e30" });
    await nobody.closed;
    await socket.close();

    const authenticated = await entry("Connection authenticated", ({ role }) => role === "visitor");
    assert.equal(authenticated["user"], message.sender.userId);
    assert.equal(authenticated["protocol"], "parley.v1");
    const closed = await entry("Connection closed", (one) => one["user"] === authenticated["user"]);
    assert.equal(closed["connection"], authenticated["connection"]);
    assert.equal(closed["by"], "peer");
    const stored = await entry("Message stored");
    assert.deepEqual([stored["conversation"], stored["seq"]], [conversation.id, message.seq]);
    const refused = await entry("Refused because of a rate");
    assert.equal(refused["limit"], "LIMIT_TYPING_PER_MINUTE");
    assert.equal(refused.level, "WARN");

    const everything = server.logs.join("") + server.output.join("");
    const hidden = [agent.token, agent.token.split(".")[2]!, visitor.sessionId, ADMIN.password];
    for (const one of [...hidden, secret]) assert.ok(!everything.includes(one), one);
  } finally {
    await server.kill("SIGTERM");
    await Deno.remove(dataDir, { recursive: true });
  }
});
