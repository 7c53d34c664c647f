/** What has to be true of the model, at any moment and at the end. */
import assert from "node:assert/strict";
import type { Message } from "../../protocol/model.ts";
import type { JoinResult } from "../../protocol/native.ts";
import { call } from "../support/http.ts";
import { connectRaw } from "./raw_client.ts";
import type { Cast, Person } from "./model_people.ts";
import type { ServerProcess } from "./server_process.ts";

function tokenOf({ credentials }: Person): string {
  return "token" in credentials ? credentials.token : credentials.sessionId;
}

export async function history(
  server: ServerProcess,
  person: Person,
  conversationId: string,
): Promise<Message[]> {
  const all: Message[] = [];
  for (let after = 0;;) {
    const path = `/api/conversations/${conversationId}/messages?limit=100&after=${after}`;
    const token = tokenOf(person);
    const { body } = await call<{ items: Message[]; nextCursor: string | null }>(
      server,
      "GET",
      path,
      { token },
    );
    all.push(...body.items);
    if (body.nextCursor === null) return all;
    after = Number(body.nextCursor);
  }
}

/** What a screen may show at no moment: a message twice, or messages out of order. */
export function checkScreens({ everybody }: Cast): void {
  for (const person of everybody) {
    for (const id of person.mine) {
      const { items } = person.store(id).snapshot;
      const messages = items.flatMap(({ message }) => message ?? []);
      for (let i = 1; i < messages.length; i++) {
        assert.ok(
          messages[i]!.seq > messages[i - 1]!.seq,
          `${person.name} sees seq ${messages[i]!.seq} after ${messages[i - 1]!.seq}`,
        );
      }
      const names = items.flatMap(({ message, pending }) => {
        if (pending !== null) return [pending.clientMessageId];
        return message?.sender.userId === person.userId ? message.clientMessageId ?? [] : [];
      });
      const twice = names.filter((name, i) => names.indexOf(name) !== i);
      assert.deepEqual(twice, [], `${person.name} sees own messages twice`);
    }
  }
}

/** A message as everybody who may see it has to agree on it. */
function essence({ id, seq, clientMessageId, content, sender, isPrivate, deletedAt }: Message) {
  return { id, seq, clientMessageId, content, by: sender.userId, isPrivate, deletedAt };
}

/** What this person's screen shows of a conversation, all the way up. */
export async function screenOf(person: Person, conversationId: string) {
  const store = person.store(conversationId);
  while (store.snapshot.hasOlder) await store.loadOlder();
  const { items } = store.snapshot;
  return items.map(({ message, pending }) => message === null ? pending : essence(message));
}

/** The server's history is what was acknowledged, in order, each once. */
export async function checkHistory(server: ServerProcess, cast: Cast): Promise<void> {
  for (const conversationId of cast.conversations) {
    const stored = await history(server, cast.agents[0]!, conversationId);
    for (const person of cast.everybody) {
      const sent = person.sent.filter((one) => one.conversationId === conversationId);
      const own = stored.filter(({ sender }) => sender.userId === person.userId);
      assert.deepEqual(
        own.map(({ clientMessageId }) => clientMessageId),
        sent.map(({ clientMessageId }) => clientMessageId),
        `${person.name}'s messages are there, each once, in the order of writing`,
      );
      for (const [i, { message, possible, isPrivate, deletionAcked }] of sent.entries()) {
        const { id, seq, content, deletedAt, isPrivate: storedPrivate } = own[i]!;
        if (message !== null) assert.deepEqual({ id, seq }, { id: message.id, seq: message.seq });
        assert.equal(storedPrivate, isPrivate);
        assert.ok(possible.has(content), `"${content}" is none of ${[...possible].join(" | ")}`);
        if (deletionAcked) assert.notEqual(deletedAt, null);
      }
    }
  }
}

/** Every screen shows exactly what the server has for this person. */
export async function checkScreensAgainst(server: ServerProcess, cast: Cast): Promise<void> {
  for (const person of cast.everybody) {
    for (const id of person.mine) {
      const expected = (await history(server, person, id)).map(essence);
      assert.deepEqual(await screenOf(person, id), expected, `what ${person.name} sees`);
    }
  }
}

/** The log has no gap for anybody, and no note in it for visitors. */
export async function checkLog(server: ServerProcess, cast: Cast): Promise<void> {
  for (const person of cast.everybody) {
    const client = await connectRaw(server.url, person.credentials);
    const { epoch } = await client.ack("join", { conversationId: person.mine[0]! });
    for (const conversationId of person.mine) {
      const log: JoinResult = await client.ack("join", { conversationId, epoch, seq: 0 });
      assert.equal(log.recovered, true);
      assert.deepEqual(
        log.events.map(({ data }) => data.seq),
        Array.from({ length: log.seq }, (_, i) => i + 1),
      );
      if (person.role === "agent") continue;
      const secret = log.events.filter(({ data }) =>
        ((data as { message?: Message }).message ?? data as Message).isPrivate
      );
      assert.deepEqual(secret, []);
    }
    client.destroy();
  }
}
