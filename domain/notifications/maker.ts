/**
 * Makes notifications of what happened, after it is stored, and marks those as read that are done.
 * What happens in one moment is handled together, so that a busy server pays for few statements.
 */
import type { Db } from "../../db/database.ts";
import { isUnavailable } from "../../db/database_error.ts";
import type { EventBus } from "../events.ts";
import { CALLS, type Cause, causesOf, type Settled } from "./causes.ts";
import { loadAgents, type NewNotification, rowsOf } from "./recipients.ts";
import {
  insertNotifications,
  type NotificationRow,
  readByPointers,
  readMeanwhile,
  type ReadRow,
  readSettled,
  toNotifications,
  unreadNotifications,
} from "./store.ts";

/** How long is gathered; who looks at the conversation has often read it by then, and is not told. */
const GATHER_MS = 30;
const TRIES = 5;
const RETRY_MS = 1000;

interface Pointer {
  userId: string;
  conversationId: string;
  seq: number;
}

interface Gathered {
  causes: Cause[];
  settled: Map<string, Settled>;
  pointers: Map<string, Pointer>;
}

const nothing = (): Gathered => ({ causes: [], settled: new Map(), pointers: new Map() });

export interface Maker {
  /** Makes their rows at once; who passes a transaction announces them after its commit. */
  insert(db: Db, causes: readonly Cause[]): Promise<NotificationRow[]>;
  announce(made: NotificationRow[]): Promise<void>;
  announceRead(rows: readonly ReadRow[], readAt: Date): Promise<void>;
  /** Handles what waits, and nothing after. */
  stop(): Promise<void>;
}

export interface MakerOptions {
  db: Db;
  bus: EventBus;
  /** Changes that may wait for the database; what comes past it makes no notification. */
  maxPending: number;
  onError: (error: unknown) => void;
}

export function createMaker({ db, bus, maxPending, onError }: MakerOptions): Maker {
  let waiting = nothing();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | null = null;
  let stopped = false;
  let full = false;

  function hasRoom(): boolean {
    const size = waiting.causes.length + waiting.settled.size + waiting.pointers.size;
    if (size < maxPending) return !stopped;
    if (!full) onError(new Error(`Cannot notify: ${size} changes wait for the database already`));
    full = true;
    return false;
  }

  function schedule(afterMs = GATHER_MS): void {
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
    const gathered = waiting;
    waiting = nothing();
    full = false;
    for (let tries = 1;; tries++) {
      try {
        return await handle(gathered);
      } catch (error) {
        // While the database is away nothing else is to be done; what comes meanwhile is bounded.
        const away = isUnavailable(error);
        if (stopped || (tries >= TRIES && !away)) return onError(error);
        await new Promise((resolve) => setTimeout(resolve, away ? RETRY_MS : RETRY_MS * tries));
      }
    }
  }

  async function insert(on: Db, causes: readonly Cause[]): Promise<NotificationRow[]> {
    const possible = causes.filter(({ to, mentionIn }) =>
      to !== "mentioned" || mentionIn!.includes("@")
    );
    if (possible.length === 0) return [];
    const rows: NewNotification[] = rowsOf(possible, await loadAgents(on));
    return await insertNotifications(on, rows);
  }

  async function announce(made: NotificationRow[]): Promise<void> {
    if (made.length === 0) return;
    const now = new Date();
    const read = await readMeanwhile(db, made.map(({ id }) => id), now);
    const fresh = made.filter(({ id }) => !read.has(id));
    // One that grew had been told before.
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

  async function handle({ causes, settled, pointers }: Gathered): Promise<void> {
    const called = causes.filter(({ kind, conversationId, seq }) =>
      !CALLS.includes(kind) || seq > (settled.get(conversationId)?.seq ?? 0)
    );
    await announce(await insert(db, called));
    const now = new Date();
    const read: ReadRow[] = [];
    if (settled.size > 0) read.push(...await readSettled(db, [...settled.values()], now));
    if (pointers.size > 0) read.push(...await readByPointers(db, [...pointers.values()], now));
    await announceRead(read, now);
  }

  bus.on("conversation.updated", ({ conversation, entries }) => {
    if (entries === undefined || !hasRoom()) return;
    const found = causesOf(conversation, entries);
    waiting.causes.push(...found.causes);
    for (const one of found.settled) waiting.settled.set(one.conversationId, one);
    if (found.causes.length + found.settled.length > 0) schedule();
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

function isEmpty({ causes, settled, pointers }: Gathered): boolean {
  return causes.length + settled.size + pointers.size === 0;
}
