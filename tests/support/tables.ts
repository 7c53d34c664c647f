/** What the tests of table changes share: psql's place in them, and names for what is followed. */
import pg from "pg";
import type { DatabaseChange } from "../../protocol/tables.ts";
import type { TestServer } from "./server.ts";
import type { TestSocket } from "./socket.ts";

/** A session on the server's database that is no part of Parley, as psql would be. */
export async function psql(server: TestServer): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.env["DATABASE_URL"]! });
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
