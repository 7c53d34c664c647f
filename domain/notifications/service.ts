/** Agents' notifications: made, listed, read, and each agent's preferences. */
import type { Db } from "../../db/database.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Notification } from "../../protocol/model.ts";
import type {
  NotificationList,
  NotificationPreferences,
  UpdatePreferencesBody,
} from "../../protocol/notifications.ts";
import type { EventBus } from "../events.ts";
import type { Principal } from "../principal.ts";
import { createDispatcher } from "./dispatcher.ts";
import { readPreferences, updatePreferences } from "./preferences.ts";
import {
  forgetNotifications,
  listNotifications,
  readOwn,
  toNotifications,
  unreadNotifications,
} from "./store.ts";
import { type AbsenceOf, notifyOfAbsent, notifyOfWaiting } from "./waiting.ts";

export interface NotificationService {
  /** Newest first. */
  list(
    principal: Principal,
    query: {
      unread?: boolean | undefined;
      cursor?: string | undefined;
      limit?: number | undefined;
    },
  ): Promise<NotificationList>;
  /** How many are not read. */
  unread(principal: Principal): Promise<number>;
  /** Marks one as read. @throws {ParleyError} `not_found`, also for somebody else's. */
  read(principal: Principal, id: string): Promise<Notification>;
  /** Marks all as read. */
  readAll(principal: Principal): Promise<{ unread: number }>;
  preferences(principal: Principal): Promise<NotificationPreferences>;
  updatePreferences(
    principal: Principal,
    changes: UpdatePreferencesBody,
  ): Promise<NotificationPreferences>;
  /** Handles what is waiting; makes no more notifications. */
  stop(): Promise<void>;
}

export interface NotificationsOptions {
  db: Db;
  /** For statements that may take long. */
  jobs: Db;
  bus: EventBus;
  maxPending: number;
  /** Milliseconds that a contact waits before agents are notified; 0: never. */
  waitingAlertMs: number;
  /** Milliseconds for which an assignee is away or offline before the team is notified; 0: never. */
  absentAfterMs: number;
  absenceOf: AbsenceOf;
  /** Milliseconds for which notifications are kept. */
  keepMs: number;
  onError: (error: unknown) => void;
}

const PAGE = 30;
/** How often waits and absences are checked: a fifth of the time that is too long, within these. */
const CHECK_MS = { least: 200, most: 10_000 };
const TIDY_MS = 600_000;
/** Deleted by one statement, so that none takes long. */
const FORGET = 1000;

export function createNotifications(options: NotificationsOptions): NotificationService {
  const { db, jobs, bus, waitingAlertMs, absentAfterMs, absenceOf, keepMs, onError } = options;
  const dispatcher = createDispatcher(options);
  const stops = [every(TIDY_MS, tidy, onError)];
  const checks: [afterMs: number, check: () => Promise<void>][] = [
    [waitingAlertMs, () => notifyOfWaiting(db, dispatcher, waitingAlertMs)],
    [absentAfterMs, () => notifyOfAbsent(db, dispatcher, absenceOf, absentAfterMs)],
  ];
  for (const [afterMs, check] of checks) {
    if (afterMs === 0) continue;
    const everyMs = Math.min(CHECK_MS.most, Math.max(CHECK_MS.least, afterMs / 5));
    stops.push(every(everyMs, check, onError));
  }

  async function tidy(): Promise<void> {
    const before = new Date(Date.now() - keepMs);
    while (await forgetNotifications(jobs, before, FORGET) === FORGET);
  }

  async function unreadOf(userId: string): Promise<number> {
    return (await unreadNotifications(db, [userId])).get(userId)!;
  }

  return {
    async list(principal, { unread, cursor, limit }) {
      const { userId } = agent(principal);
      const query = { userId, unread: unread ?? false, cursor, limit: limit ?? PAGE };
      return { ...await listNotifications(db, query), unread: await unreadOf(userId) };
    },

    unread: (principal) => unreadOf(agent(principal).userId),

    async read(principal, id) {
      const { userId } = agent(principal);
      const now = new Date();
      const rows = await readOwn(db, userId, id, now);
      const [notification] = await toNotifications(db, rows);
      if (notification === undefined) {
        throw new ParleyError("not_found", `Cannot find the notification "${id}"`);
      }
      // Not announced if it was read before.
      if (notification.readAt === now.toISOString()) {
        await dispatcher.announceRead([{ id, user_id: userId }], now);
      }
      return notification;
    },

    async readAll(principal) {
      const { userId } = agent(principal);
      const now = new Date();
      const rows = await readOwn(db, userId, null, now);
      const unread = await unreadOf(userId);
      if (rows.length > 0) {
        bus.emit("notifications.read", { userId, ids: null, readAt: now.toISOString(), unread });
      }
      return { unread };
    },

    preferences: async (principal) => await readPreferences(db, agent(principal).userId),

    async updatePreferences(principal, changes) {
      const { userId } = agent(principal);
      const preferences = await updatePreferences(db, userId, changes);
      bus.emit("notifications.preferences", { userId, preferences });
      return preferences;
    },

    async stop() {
      await Promise.all(stops.map((stop) => stop()));
      await dispatcher.stop();
    },
  };
}

function agent(principal: Principal): Extract<Principal, { kind: "agent" }> {
  if (principal.kind === "agent") return principal;
  throw new ParleyError("forbidden", "Cannot look at notifications: only agents have any");
}

/** Runs repeatedly, never twice at a time. @returns what stops it, after the current run. */
function every(
  ms: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= work().catch(onError).finally(() => running = null);
  }, ms);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
