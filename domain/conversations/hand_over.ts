/**
 * Hands over the conversations of disabled agents: another agent gets them, or they are unassigned.
 * Every change goes through the writer, so it is in the log and clients see it.
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { HandOver, Workload } from "../../protocol/rest.ts";
import { findUser } from "../agents/users.ts";
import { type Actor, SYSTEM } from "./unit_of_work.ts";
import type { Writer } from "./writer.ts";

/** Changes that wait for the writer at a time, so that other changes are not delayed by all of them. */
const CHUNK = 200;
/** How often conversations with a disabled assignee are looked for. */
const SWEEP_MS = 60_000;

export interface HandOvers {
  /** How many unresolved conversations this agent has. @throws {ParleyError} `not_found`. */
  workload(userId: string): Promise<Workload>;
  /** @throws {ParleyError} `invalid` unless this is another agent who is active. */
  needReceiver(userId: string, fromUserId: string): Promise<void>;
  /**
   * Assigns an agent's unresolved conversations to another agent, or to nobody (null), also where the
   * receiver is disabled meanwhile. Can be repeated.
   *
   * @throws {ParleyError} `overloaded`, `unavailable`: some are handed over, the rest is not.
   */
  handOver(fromUserId: string, to: string | null, actor: Actor): Promise<HandOver>;
  /** Unassigns the conversations of disabled agents. @returns how many. */
  sweep(): Promise<number>;
  /** Ends the sweeps, after the current one. */
  stop(): Promise<void>;
}

export interface HandOverOptions {
  db: Db;
  writer: Writer;
  onError: (error: unknown) => void;
}

interface Assigned {
  id: string;
  assignee_id: string;
}

/** Sweeps at once, for conversations that a process left when it died. */
export function createHandOvers({ db, writer, onError }: HandOverOptions): HandOvers {
  let stopped = false;
  let running: Promise<unknown> | null = null;

  async function page(after: string | null, fromUserId: string | null): Promise<Assigned[]> {
    const { rows } = await sql<Assigned>`
      select c.id, c.assignee_id from users u join conversations c on c.assignee_id = u.id
      where c.status in ('open', 'pending', 'snoozed')
        and ${fromUserId === null ? sql`u.disabled_at is not null` : sql`u.id = ${fromUserId}`}
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
    fromUserId: string | null,
    to: string | null,
    by: Actor,
  ): Promise<HandOver> {
    const done: HandOver = { assigned: 0, unassigned: 0 };
    for (let after: string | null = null; !stopped;) {
      const rows: Assigned[] = await page(after, fromUserId);
      // Looked up for each page: the receiver may be disabled meanwhile.
      const current = rows.length === 0 ? null : await receiver(to);
      done[current === null ? "unassigned" : "assigned"] += await give(rows, current, by);
      // A receiver who was disabled before this was stored has not handed it over.
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

    async needReceiver(userId, fromUserId) {
      const why = userId === fromUserId
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
