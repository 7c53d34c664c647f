/**
 * Assigns the conversations of teams in which a contact waits, the longest wait first, and takes
 * those of absent agents back. Every node looks when something has changed on it, and all of them at
 * intervals; the writer decides who gets a conversation (conversations/assigning.ts).
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { Conversation } from "../../protocol/model.ts";
import { SYSTEM } from "../conversations/unit_of_work.ts";
import type { Writer } from "../conversations/writer.ts";
import type { EventBus, LogEntry } from "../events.ts";
import type { QueueSettingsStore } from "../workspace/queue_settings.ts";

/** Conversations of a team that one look finds, and that are given to the writer at a time. */
const LOOK = 100;
const AT_ONCE = 20;
/** Conversations that one look takes back. */
const TAKEN = 500;
/** How often a node looks for what nothing has told it. */
const SWEEP_MS = 30_000;
/** An agent who is away says so right after they have connected: what is free is looked at after it. */
const SETTLE_MS = 1000;

export interface AssignmentOptions {
  db: Db;
  bus: EventBus;
  writer: Writer;
  queueSettings: Pick<QueueSettingsStore, "current">;
  /** Since when an agent is away or offline, in milliseconds; null: they are here. */
  absenceOf: (userId: string) => { since: number } | null;
  onError: (error: unknown) => void;
  sweepMs?: number;
  now?: () => number;
}

export interface Assignment {
  /** Somebody may be free. */
  wake(): void;
  /** An agent has connected, or is not away any more. */
  arrived(): void;
  /** Takes waiting conversations from agents who are absent for long. @returns how many */
  takeBack(): Promise<number>;
  stop(): Promise<void>;
}

export function createAssignment(options: AssignmentOptions): Assignment {
  const { db, bus, writer, queueSettings, absenceOf, onError, now = Date.now } = options;
  let stopped = false;
  let again = false;
  let running: Promise<void> | null = null;
  let settling: ReturnType<typeof setTimeout> | undefined;

  function wake(): void {
    if (stopped) return;
    if (running !== null) {
      again = true;
      return;
    }
    running = (async () => {
      do {
        again = false;
        await fill();
      } while (again && !stopped);
    })().catch(onError).finally(() => running = null);
  }

  /** Assigns until nothing waits or nobody is free. */
  async function fill(): Promise<void> {
    const waiting = await findWaiting(db);
    if (waiting.length === 0) return;
    const here = (await membersOfTeams(db)).filter((userId) => absenceOf(userId) === null);
    if (here.length === 0) return;
    for (const found of Map.groupBy(waiting, ({ team }) => team).values()) {
      let more = true;
      for (let at = 0; more && at < found.length; at += AT_ONCE) {
        more = await assignSome(found.slice(at, at + AT_ONCE).map(({ id }) => id), here);
      }
      // There are more than one look finds.
      if (more && found.length === LOOK) again = true;
    }
  }

  /** @returns false: nobody is free for the last of them */
  async function assignSome(ids: string[], available: readonly string[]): Promise<boolean> {
    const results = await Promise.allSettled(
      ids.map((conversationId) =>
        writer.write({ kind: "auto_assign", conversationId, actor: SYSTEM, available })
      ),
    );
    let more = true;
    for (const result of results) {
      if (result.status === "fulfilled") more = result.value.row.assignee_id !== null;
      else if ((result.reason as { code?: string }).code !== "not_found") throw result.reason;
    }
    return more;
  }

  async function takeBack(): Promise<number> {
    const { handBackAfterMinutes: minutes } = await queueSettings.current();
    if (minutes === null) return 0;
    const before = now() - minutes * 60_000;
    const since = new Date(before);
    const absent = (await awaitedAgents(db, since)).filter((userId) => {
      const absence = absenceOf(userId);
      return absence !== null && absence.since <= before;
    });
    if (absent.length === 0) return 0;
    const left = await findLeft(db, since, absent);
    const results = await Promise.allSettled(
      left.map(({ id, assignee, name }) =>
        writer.write({
          kind: "assign",
          conversationId: id,
          actor: SYSTEM,
          assignee: null,
          from: assignee,
          because: `${name} is away: the conversation waits for somebody else`,
        })
      ),
    );
    for (const result of results) {
      if (result.status === "rejected") onError(result.reason);
    }
    return results.filter((result) => result.status === "fulfilled" && !result.value.duplicate)
      .length;
  }

  const unlisten = bus.on("conversation.updated", ({ conversation, entries }) => {
    if (waits(conversation) || entries?.some(frees)) wake();
  });
  const sweep = () => {
    if (!stopped) takeBack().then(wake, onError);
  };
  const timer = setInterval(sweep, options.sweepMs ?? SWEEP_MS);

  return {
    wake,
    arrived() {
      clearTimeout(settling);
      if (!stopped) settling = setTimeout(wake, SETTLE_MS);
    },
    takeBack,
    async stop() {
      stopped = true;
      clearInterval(timer);
      clearTimeout(settling);
      unlisten();
      await running;
    },
  };
}

/** Whether its team has to assign it. */
function waits({ teamId, assignee, waitingSince, status }: Conversation): boolean {
  return teamId !== undefined && assignee === null && waitingSince !== null &&
    (status === "open" || status === "pending");
}

/** Whether somebody may have fewer open conversations after it. */
function frees({ forAgents: event }: LogEntry): boolean {
  if (event.type !== "conversation_changed") return false;
  const { status, assignee } = event.data;
  return status !== undefined && status !== "open" || assignee !== undefined;
}

/** Of each team that assigns, the longest waits first. */
async function findWaiting(db: Db): Promise<{ id: string; team: string }[]> {
  const { rows } = await sql<{ id: string; team: string }>`
    select c.id, t.id as team from teams t cross join lateral (
      select c.id, c.waiting_since from conversations c
      where c.team_id = t.id and c.assignee_id is null and c.waiting_since is not null
        and c.status in ('open', 'pending')
      order by c.waiting_since limit ${LOOK}
    ) c where t.assignment <> 'none' order by c.waiting_since`.execute(db);
  return rows;
}

async function membersOfTeams(db: Db): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select distinct m.user_id as id from team_members m join teams t on t.id = m.team_id
    where t.assignment <> 'none'`.execute(db);
  return rows.map(({ id }) => id);
}

/** Assigned conversations `c` in which the contact has waited since then. */
const overdue = (since: Date) =>
  sql`c.waiting_since <= ${since} and c.assignee_id is not null
    and c.status in ('open', 'pending')`;

async function awaitedAgents(db: Db, since: Date): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select distinct c.assignee_id as id from conversations c where ${overdue(since)}`.execute(db);
  return rows.map(({ id }) => id);
}

/** The next look takes what is more than `TAKEN`. */
async function findLeft(
  db: Db,
  since: Date,
  absent: readonly string[],
): Promise<{ id: string; assignee: string; name: string }[]> {
  const { rows } = await sql<{ id: string; assignee: string; name: string }>`
    select c.id, c.assignee_id as assignee, u.name
    from conversations c join users u on u.id = c.assignee_id
    where ${overdue(since)} and c.assignee_id = any(${absent}::uuid[])
    order by c.waiting_since limit ${TAKEN}`.execute(db);
  return rows;
}
