/**
 * Makes notifications after changes are stored, and marks those as read that are no longer needed.
 * Changes of the same moment are handled together, so that a busy server needs few statements.
 */
import type { Db } from "../../db/database.ts";
import { isUnavailable } from "../../db/database_error.ts";
import type { EventBus } from "../events.ts";
import { type Handled, TEAM_KINDS, type Trigger, triggersOf } from "./triggers.ts";
import { insertMentions, loadAgents, type NewNotification, rowsOf } from "./recipients.ts";
import { type Changed, gather, leaveGroups, type Left, replaceStarted } from "./groups.ts";
import {
  insertNotifications,
  readByPointers,
  readHandled,
  readMeanwhile,
  type ReadRow,
  toNotifications,
  unreadNotifications,
} from "./store.ts";

/** How long changes are collected. Agents who have read the conversation by then get no notification. */
const COLLECT_MS = 30;
const TRIES = 5;
const RETRY_MS = 1000;

interface Pointer {
  userId: string;
  conversationId: string;
  seq: number;
}

interface Batch {
  triggers: Trigger[];
  handled: Map<string, Handled>;
  pointers: Map<string, Pointer>;
}

const emptyBatch = (): Batch => ({ triggers: [], handled: new Map(), pointers: new Map() });

export interface Dispatcher {
  /** Stores the notifications; a caller with a transaction announces them after its commit. */
  insert(db: Db, triggers: readonly Trigger[]): Promise<Changed>;
  announce(changed: Changed): Promise<void>;
  announceRead(rows: readonly ReadRow[], readAt: Date): Promise<void>;
  /** Handles what is waiting, and nothing after that. */
  stop(): Promise<void>;
}

export interface DispatcherOptions {
  db: Db;
  bus: EventBus;
  /** Changes that may wait for the database; more make no notification. */
  maxPending: number;
  onError: (error: unknown) => void;
}

export function createDispatcher({ db, bus, maxPending, onError }: DispatcherOptions): Dispatcher {
  let waiting = emptyBatch();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | null = null;
  let stopped = false;
  let full = false;

  function hasRoom(): boolean {
    const size = waiting.triggers.length + waiting.handled.size + waiting.pointers.size;
    if (size < maxPending) return !stopped;
    if (!full) onError(new Error(`Cannot notify: ${size} changes wait for the database already`));
    full = true;
    return false;
  }

  function schedule(afterMs = COLLECT_MS): void {
    if (timer !== undefined || running !== null) return;
    timer = setTimeout(() => {
      timer = undefined;
      running = run().finally(() => {
        running = null;
        if (!isEmpty(waiting) && !stopped) schedule();
      });
    }, afterMs);
  }

  async function run(): Promise<void> {
    const batch = waiting;
    waiting = emptyBatch();
    full = false;
    for (let tries = 1;; tries++) {
      try {
        return await handle(batch);
      } catch (error) {
        // While the database is away it is tried without end; what waits is bounded.
        const away = isUnavailable(error);
        if (stopped || (tries >= TRIES && !away)) return onError(error);
        await new Promise((resolve) => setTimeout(resolve, away ? RETRY_MS : RETRY_MS * tries));
      }
    }
  }

  async function insert(on: Db, triggers: readonly Trigger[]): Promise<Changed> {
    const possible = triggers.filter(({ to, mentionIn }) =>
      to !== "mentioned" || mentionIn!.includes("@")
    );
    if (possible.length === 0) return { made: [], gone: [] };
    const agents = await loadAgents(on);
    await insertMentions(on, possible, agents);
    const rows: NewNotification[] = rowsOf(possible, agents);
    const made = await insertNotifications(on, rows);
    const now = new Date();
    const replaced = await replaceStarted(on, made, now);
    const gathered = await gather(on, made, now);
    return {
      made: [...replaced.made, ...gathered.made],
      gone: [...replaced.gone, ...gathered.gone],
    };
  }

  async function announce({ made, gone }: Changed, now = new Date()): Promise<void> {
    await announceRead(gone, now);
    if (made.length === 0) return;
    const read = await readMeanwhile(db, made.map(({ id }) => id), now);
    const fresh = made.filter(({ id }) => !read.has(id));
    // Those that were announced before and have grown are announced as read.
    await announceRead(made.filter(({ id }) => read.has(id)), now);
    const unread = await unreadNotifications(db, [...new Set(fresh.map((row) => row.user_id))]);
    for (const notification of await toNotifications(db, fresh)) {
      bus.emit("notification.made", { notification, unread: unread.get(notification.userId)! });
    }
  }

  async function announceRead(rows: readonly ReadRow[], readAt: Date): Promise<void> {
    const byUser = Map.groupBy(rows, (row) => row.user_id);
    if (byUser.size === 0) return;
    const unread = await unreadNotifications(db, [...byUser.keys()]);
    for (const [userId, own] of byUser) {
      bus.emit("notifications.read", {
        userId,
        ids: own.map(({ id }) => id),
        readAt: readAt.toISOString(),
        unread: unread.get(userId)!,
      });
    }
  }

  async function handle({ triggers, handled, pointers }: Batch): Promise<void> {
    const wanted = triggers.filter(({ kind, conversationId, seq }) =>
      !TEAM_KINDS.includes(kind) || seq > (handled.get(conversationId)?.seq ?? 0)
    );
    await announce(await insert(db, wanted));
    const now = new Date();
    const read: ReadRow[] = [];
    if (handled.size > 0) read.push(...await readHandled(db, [...handled.values()], now));
    if (pointers.size > 0) read.push(...await readByPointers(db, [...pointers.values()], now));
    const left: Left[] = [...pointers.values()];
    for (const one of handled.values()) left.push({ ...one, userId: null });
    const { made, gone } = left.length === 0
      ? { made: [], gone: [] }
      : await leaveGroups(db, left, now);
    await announce({ made, gone: [...read, ...gone] }, now);
  }

  bus.on("conversation.updated", ({ conversation, entries }) => {
    if (entries === undefined || !hasRoom()) return;
    const found = triggersOf(conversation, entries);
    waiting.triggers.push(...found.triggers);
    for (const one of found.handled) waiting.handled.set(one.conversationId, one);
    if (found.triggers.length + found.handled.length > 0) schedule();
  });

  bus.on("conversation.pointers", ({ conversationId, userId, role, readSeq }) => {
    if (role !== "agent") return;
    const key = `${conversationId} ${userId}`;
    if (!waiting.pointers.has(key) && !hasRoom()) return;
    const seq = Math.max(readSeq, waiting.pointers.get(key)?.seq ?? 0);
    waiting.pointers.set(key, { userId, conversationId, seq });
    schedule();
  });

  return {
    insert,
    announce,
    announceRead,
    async stop() {
      clearTimeout(timer);
      stopped = true;
      await running;
      if (!isEmpty(waiting)) await run();
    },
  };
}

function isEmpty({ triggers, handled, pointers }: Batch): boolean {
  return triggers.length + handled.size + pointers.size === 0;
}
