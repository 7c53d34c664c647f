/** Whether a server that was mistreated is as well as before. */
import assert from "node:assert/strict";
import { cast } from "../support/http.ts";
import { connectionCount, eventually, health } from "./health.ts";
import { connectRaw, openRaw, type RawClient, type RawOptions } from "./raw_client.ts";
import type { ServerProcess } from "./server_process.ts";

/**
 * Bytes above the level before at which memory counts as returned. The runtime keeps freed pages
 * and grows its heap in steps, so the exact level never comes back; what a fault left behind for good
 * (two 64 MiB frames, 100 MB of fragments) is more than this.
 */
const SLACK_BYTES = 100 * 1024 * 1024;
const SETTLE_MS = 30_000;

export interface Patient {
  readonly server: ServerProcess;
  readonly visitor: { sessionId: string };
  readonly agent: { token: string };
  readonly conversationId: string;
  /** An agent who was connected before everything. */
  readonly witness: RawClient;
  /** A new socket, not authenticated. */
  open(options?: RawOptions): Promise<RawClient>;
  /** A new socket of the visitor. */
  enter(options?: RawOptions): Promise<RawClient>;
  /** @throws where it does not serve, forgot connections, or keeps memory. */
  isWell(): Promise<void>;
}

export async function admit(server: ServerProcess): Promise<Patient> {
  const { visitor, agent, conversation } = await cast(server as never);
  const conversationId = conversation.id;
  const witness = await connectRaw(server.url, { token: agent.token });
  await witness.ack("join", { conversationId });
  let messages = 0;

  async function roundTrip(): Promise<void> {
    const writer = await connectRaw(server.url, { sessionId: visitor.sessionId });
    const clientMessageId = `still-there-${++messages}`;
    await writer.ack("message", { content: "Still there?", clientMessageId });
    await witness.until(
      (message) =>
        message.type === "message" &&
        (message.data as { clientMessageId: string }).clientMessageId === clientMessageId,
      "the message at the agent's",
    );
    writer.destroy();
  }

  // Warm: what every server allocates once is not what a fault leaves behind.
  for (let i = 0; i < 20; i++) await roundTrip();
  /** Memory once it is below the bound, or after it had the time. */
  const settledMemory = (bound: number) =>
    eventually(() => {
      server.collect();
      return server.memory();
    }, (bytes) =>
      bytes < bound, SETTLE_MS);
  server.collect();
  await health(server);
  const memoryBefore = server.memory();

  return {
    server,
    visitor,
    agent,
    conversationId,
    witness,
    open: (options) => openRaw(server.url, options),
    enter: (options) => connectRaw(server.url, { sessionId: visitor.sessionId }, options),
    async isWell() {
      assert.equal((await health(server)).status, "ok");
      await roundTrip();
      const connections = await eventually(
        () => connectionCount(server),
        (count) => count === 1,
        SETTLE_MS,
      );
      assert.equal(connections, 1, "only the witness is connected");
      const bound = memoryBefore + SLACK_BYTES;
      const memory = await settledMemory(bound);
      assert.ok(
        memory < bound,
        `${mebibytes(memory)} are kept, before it was ${mebibytes(memoryBefore)}`,
      );
      assert.ok(!witness.isClosed);
    },
  };
}

export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
