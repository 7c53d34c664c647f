/**
 * The workspace's chat: one room for all agents. Its messages have a table and a `seq` of their own, so
 * that what reads conversations (inbox, search, analytics, notifications, followed tables) need not
 * leave them out.
 */
import { type Kysely, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { isUnavailable } from "../../db/database_error.ts";
import { wasCommitted } from "../../db/transaction_status.ts";
import type { Database, WorkspaceMessageRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Message } from "../../protocol/model.ts";
import type { LoggedEvent } from "../../protocol/native.ts";
import type { HistoryQuery, JoinPosition } from "../conversations/types.ts";
import type { EventBus, LogEntry } from "../events.ts";
import { type Attempt, CommitUnknown, createGroupCommit, type LockMode } from "../group_commit.ts";
import type { Principal } from "../principal.ts";

/** Used in place of a conversation's id, for the room, the rate and presence. No row has this id. */
export const WORKSPACE_CHAT = "776f726b-7370-8163-a563-686174726f6f";

export interface WorkspaceChat {
  /** Messages that wait for the database. */
  readonly pending: number;
  /** @throws {ParleyError} `forbidden`, `rate_limited`, `overloaded`, `unavailable`. */
  post(
    principal: Principal,
    message: { content: string; clientMessageId: string },
  ): Promise<{ message: Message; duplicate: boolean }>;
  /** @throws {ParleyError} `forbidden` */
  history(
    principal: Principal,
    query: HistoryQuery,
  ): Promise<{ messages: Message[]; hasMore: boolean }>;
  /** The missed events, and the position from which a client follows. @throws {ParleyError} `forbidden` */
  join(
    principal: Principal,
    position: JoinPosition,
  ): Promise<{ seq: number; recovered: boolean; events: LoggedEvent[] }>;
  /** The log after a position, or its first part. For the server itself: checks no rights. */
  logAfter(seq: number): Promise<LogEntry[]>;
  /** Resolves when nothing is waiting. */
  idle(): Promise<void>;
}

export interface WorkspaceChatOptions {
  db: Db;
  bus: EventBus;
  epoch: string;
  maxReplayEvents: number;
  maxPending: number;
  /** Milliseconds for which a message is tried again; see `GroupCommitOptions`. */
  patienceMs: number;
  /** Takes one from the room's rate. @throws {ParleyError} `rate_limited` */
  takeBroadcast: () => void;
}

interface Waiting {
  sender: { userId: string; userName: string };
  content: string;
  clientMessageId: string;
  /** Whether its rate was taken, so that a retry does not take it again. */
  isAdmitted: boolean;
  resolve(posted: { message: Message; duplicate: boolean }): void;
  reject(error: unknown): void;
}

/** Key of the advisory lock that a writer holds until its commit ("pwsc" in ASCII). */
const LOCK_KEY = 0x70777363;
const MAX_BATCH = 500;
const PAGE = 50;

export function createWorkspaceChat(options: WorkspaceChatOptions): WorkspaceChat {
  const { db, bus, epoch, maxReplayEvents } = options;
  const group = createGroupCommit<Waiting>({
    what: "the message",
    maxPending: options.maxPending,
    maxBatch: MAX_BATCH,
    maxRunning: 1,
    patienceMs: options.patienceMs,
    keyOf: () => WORKSPACE_CHAT,
    commit,
  });

  async function commit(batch: Waiting[], mode: LockMode): Promise<Attempt<Waiting>> {
    let stored: { attempt: Attempt<Waiting>; xid: string | null } | undefined;
    try {
      await db.transaction().execute(async (trx) => {
        if (!await lock(trx, mode === "waiting")) return;
        stored = await storeAll(trx, batch);
      });
    } catch (error) {
      if (stored === undefined || !isUnavailable(error) || !error.isUncertain) throw error;
      const { attempt, xid } = stored;
      if (xid === null) throw error;
      throw new CommitUnknown(attempt, () => wasCommitted(db, xid), error);
    }
    return stored?.attempt ?? { remaining: batch, complete() {} };
  }

  async function storeAll(trx: Kysely<Database>, batch: readonly Waiting[]) {
    const existing = await findStored(trx, batch);
    let seq = await lastSeq(trx);
    const created: WorkspaceMessageRow[] = [];
    const results = batch.map((entry) => {
      const key = keyOf(entry.sender.userId, entry.clientMessageId);
      const before = existing.get(key);
      if (before !== undefined) {
        return () => entry.resolve({ message: toMessage(before), duplicate: true });
      }
      try {
        if (!entry.isAdmitted) options.takeBroadcast();
        entry.isAdmitted = true;
      } catch (error) {
        return () => entry.reject(error);
      }
      const row: WorkspaceMessageRow = {
        seq: ++seq,
        id: uuidv7(),
        client_message_id: entry.clientMessageId,
        sender_id: entry.sender.userId,
        sender_name: entry.sender.userName,
        content: entry.content,
        created_at: new Date(),
      };
      created.push(row);
      existing.set(key, row);
      return () => entry.resolve({ message: toMessage(row), duplicate: false });
    });
    const xid = created.length === 0 ? null : await insert(trx, created);
    const complete = () => {
      if (created.length > 0) bus.emit("workspace.logged", { entries: created.map(toEntry) });
      for (const resolve of results) resolve();
    };
    return { xid, attempt: { remaining: [], complete } };
  }

  /** Messages with after < seq <= upTo. */
  async function between(after: number, upTo: number): Promise<WorkspaceMessageRow[]> {
    return await db.selectFrom("workspace_messages").selectAll()
      .where("seq", ">", after).where("seq", "<=", upTo).orderBy("seq").execute();
  }

  return {
    get pending() {
      return group.pending;
    },
    idle: () => group.idle(),

    // deno-lint-ignore require-await -- rejects like the other methods, and does not throw
    async post(principal, { content, clientMessageId }) {
      const { userId, userName } = agentOf(principal);
      return new Promise((resolve, reject) => {
        const sender = { userId, userName };
        group.add({ sender, content, clientMessageId, isAdmitted: false, resolve, reject });
      });
    },

    async history(principal, { before, beforeTime, after, limit = PAGE }) {
      agentOf(principal);
      const ascending = after !== undefined;
      // Postgres does not read dates before the year 0 in this form; no message is older than 1970.
      const time = beforeTime === undefined ? 0 : Math.max(0, Date.parse(beforeTime));
      const rows = await db.selectFrom("workspace_messages").selectAll()
        .$if(before !== undefined, (qb) => qb.where("seq", "<", before!))
        .$if(beforeTime !== undefined, (qb) => qb.where("created_at", "<", new Date(time)))
        .$if(ascending, (qb) => qb.where("seq", ">", after!))
        .orderBy("seq", ascending ? "asc" : "desc").limit(limit + 1).execute();
      const page = rows.slice(0, limit).map(toMessage);
      return { messages: ascending ? page : page.reverse(), hasMore: rows.length > limit };
    },

    async join(principal, position) {
      agentOf(principal);
      const seq = await lastSeq(db);
      const missed = position.epoch === epoch ? seq - (position.seq ?? NaN) : NaN;
      if (missed >= 0 && missed <= maxReplayEvents) {
        const rows = missed === 0 ? [] : await between(seq - missed, seq);
        if (rows.length === missed) return { seq, recovered: true, events: rows.map(toEvent) };
      }
      return { seq, recovered: false, events: [] };
    },

    async logAfter(seq) {
      return (await between(seq, seq + maxReplayEvents)).map(toEntry);
    },
  };
}

/** @throws {ParleyError} `forbidden` */
function agentOf(principal: Principal): Principal {
  if (principal.kind === "agent") return principal;
  throw new ParleyError("forbidden", "Cannot enter the workspace's chat: only agents can");
}

/** One writer at a time on all nodes, so that `seq` has no gaps and becomes visible in order. */
async function lock(trx: Kysely<Database>, wait: boolean): Promise<boolean> {
  const key = sql.lit(LOCK_KEY);
  if (wait) {
    await sql`select pg_advisory_xact_lock(${key})`.execute(trx);
    return true;
  }
  const { rows: [row] } = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock(${key}) as taken`.execute(trx);
  return row!.taken;
}

async function lastSeq(db: Kysely<Database>): Promise<number> {
  const { seq } = await db.selectFrom("workspace_messages")
    .select((eb) => eb.fn.max("seq").as("seq")).executeTakeFirstOrThrow();
  return seq ?? 0;
}

function keyOf(senderId: string, clientMessageId: string): string {
  return `${senderId} ${clientMessageId}`;
}

/** The messages of the batch that were stored before. */
async function findStored(
  trx: Kysely<Database>,
  batch: readonly Waiting[],
): Promise<Map<string, WorkspaceMessageRow>> {
  const wanted = batch.map(({ sender, clientMessageId }) => ({
    s: sender.userId,
    c: clientMessageId,
  }));
  const { rows } = await sql<WorkspaceMessageRow>`
    select m.* from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as k(s text, c text)
    join workspace_messages m on m.sender_id = k.s and m.client_message_id = k.c`.execute(trx);
  return new Map(rows.map((row) => [keyOf(row.sender_id, row.client_message_id), row]));
}

/** @returns the id of the transaction, to ask later whether it was committed. */
async function insert(trx: Kysely<Database>, rows: WorkspaceMessageRow[]): Promise<string> {
  const [stored] = await trx.insertInto("workspace_messages").values(rows)
    .returning(sql<string>`txid_current()::text`.as("xid")).execute();
  return stored!.xid;
}

function toMessage(row: WorkspaceMessageRow): Message {
  return {
    id: row.id,
    conversationId: WORKSPACE_CHAT,
    seq: row.seq,
    clientMessageId: row.client_message_id,
    type: "text",
    content: row.content,
    isPrivate: false,
    sender: { userId: row.sender_id, userName: row.sender_name, role: "agent" },
    platform: "workspace",
    status: "sent",
    createdAt: row.created_at.toISOString(),
    editedAt: null,
    deletedAt: null,
  };
}

function toEvent(row: WorkspaceMessageRow): LoggedEvent {
  return { type: "message", timestamp: row.created_at.toISOString(), data: toMessage(row) };
}

function toEntry(row: WorkspaceMessageRow): LogEntry {
  const { seq } = row;
  const forAgents = toEvent(row);
  const { timestamp } = forAgents;
  const data = { conversationId: WORKSPACE_CHAT, seq };
  return { seq, forAgents, forVisitors: { type: "hidden", timestamp, data } };
}
