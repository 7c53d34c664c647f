import assert from "node:assert/strict";
import type { Message } from "../protocol/model.ts";
import { call, cast } from "./support/http.ts";
import { startProcess } from "./support/process.ts";
import { ADMIN, type EngineName, makeDatabase } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { connect } from "./support/socket.ts";
import { makeDataDir } from "./support/template.ts";

interface Sent {
  clientMessageId: string;
  /** Set once it is acknowledged. */
  message: Message | null;
}

const SENDERS = 4;
const KILL_AFTER_ACKS = 200;
/** Of one sender, without an answer. */
const IN_FLIGHT = 64;

/** Keeps some messages on the way all the time, until the server dies. */
async function burst(
  socket: Awaited<ReturnType<typeof connect>>,
  conversationId: string,
  sender: number,
  sent: Sent[],
  onAck: () => void,
): Promise<void> {
  let over = false;
  let waiting = 0;
  void socket.ended.then(() => over = true);
  for (let n = 0; !over; n++) {
    const entry: Sent = { clientMessageId: `s${sender}-${n}`, message: null };
    sent.push(entry);
    waiting++;
    socket.ack("message", {
      conversationId,
      content: `${sender} ${n}`,
      clientMessageId: entry.clientMessageId,
    }).then(({ message }) => {
      entry.message = message;
      onAck();
    }, () => {}).finally(() => waiting--);
    if (n % 8 === 7) await new Promise((resolve) => setTimeout(resolve, 1));
    while (waiting >= IN_FLIGHT && !over) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function allMessages(url: string, token: string, id: string): Promise<Message[]> {
  const all: Message[] = [];
  for (let after = 0;;) {
    const path = `/api/conversations/${id}/messages?limit=100&after=${after}`;
    const { body } = await call<{ items: Message[]; nextCursor: string | null }>(
      { url },
      "GET",
      path,
      { token },
    );
    all.push(...body.items);
    if (body.nextCursor === null) return all;
    after = Number(body.nextCursor);
  }
}

for (const engine of ["pglite", "postgres"] as EngineName[]) {
  testWith(
    engine === "postgres" ? ["postgres"] : [],
    `every acknowledged message is there once, in order, after SIGKILL in a burst [${engine}]`,
    async () => {
      const dataDir = await makeDataDir();
      const database = engine === "postgres" ? await makeDatabase() : null;
      const env: Record<string, string> = {
        ADMIN_EMAIL: ADMIN.email,
        ADMIN_PASSWORD: ADMIN.password,
        DATA_DIR: dataDir,
        LIMIT_MESSAGES_PER_MINUTE: "1000000",
        LIMIT_ROOM_BROADCASTS_PER_MINUTE: "10000000",
        MAX_PENDING_COMMANDS: "100000",
        ...(database === null ? {} : { DATABASE_URL: database.url }),
      };
      try {
        const first = await startProcess(env);
        const { visitor, conversation } = await cast({ url: first.url } as never);
        const sent: Sent[][] = [];
        let acks = 0;
        const enough = Promise.withResolvers<void>();
        const bursts: Promise<void>[] = [];
        for (let sender = 0; sender < SENDERS; sender++) {
          const socket = await connect(first, { sessionId: visitor.sessionId });
          const mine: Sent[] = [];
          sent.push(mine);
          bursts.push(burst(socket, conversation.id, sender, mine, () => {
            if (++acks === KILL_AFTER_ACKS) enough.resolve();
          }));
        }
        await enough.promise;
        await first.kill("SIGKILL");
        await Promise.all(bursts);

        const second = await startProcess(env);
        const socket = await connect(second, { sessionId: visitor.sessionId });
        // What a client does after a lost ack: it sends the same message again.
        for (const mine of sent) {
          for (const entry of mine.filter((one) => one.message === null).slice(0, 20)) {
            const { message } = await socket.ack("message", {
              conversationId: conversation.id,
              content: "again",
              clientMessageId: entry.clientMessageId,
            });
            entry.message = message;
          }
        }
        const stored = await allMessages(second.url, visitor.sessionId, conversation.id);
        await socket.close();
        await second.kill("SIGTERM");

        const acknowledged = sent.flat().flatMap(({ message }) => message ?? []);
        assert.ok(acknowledged.length >= KILL_AFTER_ACKS);
        const byClientId = new Map<string, Message[]>();
        for (const message of stored) {
          const id = message.clientMessageId!;
          byClientId.set(id, [...byClientId.get(id) ?? [], message]);
        }
        for (const message of acknowledged) {
          const found = byClientId.get(message.clientMessageId!) ?? [];
          assert.equal(found.length, 1, `"${message.clientMessageId}" is there once`);
          assert.equal(found[0]!.id, message.id);
          assert.equal(found[0]!.seq, message.seq);
        }
        assert.deepEqual(stored.map(({ seq }) => seq), stored.map((_, i) => i + 1));
        for (let sender = 0; sender < SENDERS; sender++) {
          const own = stored.filter(({ content }) => content.startsWith(`${sender} `))
            .map(({ content }) => Number(content.split(" ")[1]));
          assert.deepEqual(own, own.toSorted((a, b) => a - b));
        }
      } finally {
        await database?.drop();
        await Deno.remove(dataDir, { recursive: true });
      }
    },
    { leaks: "questions whose server was killed wait for their deadline" },
  );
}
