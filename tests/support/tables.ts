/** What the tests of table changes share: psql's place in them, and names for what is followed. */
import pg from "pg";
import type { DatabaseChange } from "../../protocol/tables.ts";
import { call, cast, login, openSession } from "./http.ts";
import type { TestServer } from "./server.ts";
import type { TestSocket } from "./socket.ts";

/** A session on the server's database that is no part of Parley, as psql would be. */
export async function psql(server: TestServer): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.env["DATABASE_URL"]! });
  // A test that fails drops the database under it; what is asked then is refused, and no more.
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** The changes that a socket has received, of one subscription or of all. */
export function changesOf(socket: TestSocket, subscription?: string): DatabaseChange[] {
  return socket.received.flatMap((message) => {
    if (message.type !== "database_change") return [];
    const { data } = message;
    return subscription === undefined || data.subscription === subscription ? [data] : [];
  });
}

/** Waits for the n-th change of a subscription, counted from 1. */
export async function change(
  socket: TestSocket,
  subscription: string,
  n: number,
): Promise<DatabaseChange> {
  await socket.until(() => changesOf(socket, subscription).length >= n, `change ${n}`);
  return changesOf(socket, subscription)[n - 1]!;
}

/** The number in an id: its place among all changes. */
export function place(id: string): number {
  return Number(id.split("-")[1]);
}

const GRACE = { email: "grace@example.com", password: "a long enough password" };

/** Two visitors with a conversation each, an admin and an agent. */
export async function people(server: TestServer) {
  const { agent, key, visitor, conversation } = await cast(server);
  await call(server, "POST", "/api/users", {
    token: agent.token,
    body: { ...GRACE, name: "Grace", role: "agent" },
  });
  const grace = await login(server, GRACE);
  const other = await openSession(server, key);
  const { body } = await call<{ id: string }>(server, "POST", "/api/conversations", {
    token: other.sessionId,
    body: {},
  });
  return { admin: agent, grace, visitor, other, conversation, otherConversation: body };
}

/** A message that the database gets from elsewhere. */
export const message = (conversationId: string, seq: number, content: string, isPrivate = false) =>
  `insert into chat_messages (id, conversation_id, seq, sender_id, sender_role, sender_name, type,
    content, is_private, platform, inbound_count, outbound_count, created_at) values
    (gen_random_uuid(), '${conversationId}', ${seq}, 'x', 'agent', 'X', 'text', '${content}',
    ${isPrivate}, 'web', 0, 0, now());`;
