/**
 * What becomes of the conversations of agents who are switched off: somebody else gets them, or they
 * are nobody's again. Every change goes through the writer, so it is in the log and everybody sees it.
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { HandOver, Workload } from "../../protocol/rest.ts";
import { findUser } from "../agents/users.ts";
import { type Actor, SYSTEM } from "./unit_of_work.ts";
import type { Writer } from "./writer.ts";

/** Changes that wait for the writer at a time; everybody else's come in between. */
const CHUNK = 200;
/** How often conversations are looked for whose assignee was switched off. */
const SWEEP_MS = 60_000;

export interface Leaving {
  /** How many conversations that are not resolved this agent has. @throws {ParleyError} `not_found`. */
  workload(userId: string): Promise<Workload>;
  /** @throws {ParleyError} `invalid` unless this is another agent who is active. */
  needReceiver(userId: string, leavingId: string): Promise<void>;
  /**
   * Gives what an agent has and is not resolved to somebody else, or to nobody (null). What cannot be
   * given, because the receiver was switched off meanwhile, is nobody's. Can be repeated.
   *
   * @throws {ParleyError} `overloaded`, `unavailable`: some are handed over, the rest is not.
   */
  handOver(leavingId: string, to: string | null, actor: Actor): Promise<HandOver>;
  /** Unassigns what agents have who are switched off already. @returns how many. */
  sweep(): Promise<number>;
  /** Ends the sweeps, after the one that is on. */
  stop(): Promise<void>;
}

export interface LeavingOptions {
  db: Db;
  writer: Writer;
  onError: (error: unknown) => void;
}

interface Assigned {
  id: string;
  assignee_id: string;
}

/** Begins to sweep at once: what was assigned before this version, or when a process died. */
export function createLeaving({ db, writer, onError }: LeavingOptions): Leaving {
  let stopped = false;
  let running: Promise<unknown> | null = null;

  async function page(after: string | null, leavingId: string | null): Promise<Assigned[]> {
    const { rows } = await sql<Assigned>`
      select c.id, c.assignee_id from users u join conversations c on c.assignee_id = u.id
      where c.status in ('open', 'pending', 'snoozed')
        and ${leavingId === null ? sql`u.disabled_at is not null` : sql`u.id = ${leavingId}`}
        and ${after === null ? sql`true` : sql`c.id > ${after}`}
      order by c.id limit ${CHUNK}`.execute(db);
    return rows;
  }

  async function receiver(id: string | null) {
    const user = id === null ? null : await findUser(db, id);
    return user === null || user.disabledAt !== null
      ? null
      : { userId: user.id, userName: user.name };
  }

  async function give(
    rows: Assigned[],
    to: { userId: string; userName: string } | null,
    by: Actor,
  ) {
    const results = await Promise.allSettled(
      rows.map(({ id, assignee_id: from }) =>
        writer.write({ kind: "assign", conversationId: id, actor: by, assignee: to, from })
      ),
    );
    let given = 0;
    for (const result of results) {
      if (result.status === "rejected") {
        if ((result.reason as { code?: string }).code !== "not_found") throw result.reason;
      } else if (result.value.message !== null) given++;
    }
    return given;
  }

  async function giveAll(
    leavingId: string | null,
    to: string | null,
    by: Actor,
  ): Promise<HandOver> {
    const done: HandOver = { assigned: 0, unassigned: 0 };
    for (let after: string | null = null; !stopped;) {
      const rows: Assigned[] = await page(after, leavingId);
      // Looked up for each page: whoever receives may be switched off meanwhile.
      const current = rows.length === 0 ? null : await receiver(to);
      done[current === null ? "unassigned" : "assigned"] += await give(rows, current, by);
      // Switched off before this was stored, they did not hand it over themselves.
      if (current !== null && await receiver(to) === null) {
        done.unassigned += (await giveAll(to, null, SYSTEM)).unassigned;
      }
      if (rows.length < CHUNK) break;
      after = rows.at(-1)!.id;
    }
    return done;
  }

  async function sweep(): Promise<number> {
    return (await giveAll(null, null, SYSTEM)).unassigned;
  }

  function sweepOnce(): void {
    running ??= sweep().catch(onError).finally(() => running = null);
  }
  sweepOnce();
  const timer = setInterval(sweepOnce, SWEEP_MS);

  return {
    async workload(userId) {
      if (await findUser(db, userId) === null) {
        throw new ParleyError("not_found", `Cannot find the user "${userId}"`);
      }
      const { rows } = await sql<{ status: keyof Workload; n: number }>`
        select status, count(*)::int as n from conversations
        where assignee_id = ${userId} and status in ('open', 'pending', 'snoozed')
        group by status`.execute(db);
      const counted: Workload = { open: 0, pending: 0, snoozed: 0 };
      for (const { status, n } of rows) counted[status] = n;
      return counted;
    },

    async needReceiver(userId, leavingId) {
      const why = userId === leavingId
        ? "they are the one who leaves"
        : await receiver(userId) === null
        ? `there is no active user "${userId}"`
        : null;
      if (why === null) return;
      throw new ParleyError("invalid", `Cannot hand the conversations over: ${why}`, {
        fields: [{ path: "handOverTo", message: "must be another active user's id, or null" }],
      });
    },

    handOver: giveAll,
    sweep,

    async stop() {
      clearInterval(timer);
      stopped = true;
      await running;
    },
  };
}
