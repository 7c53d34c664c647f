import { isBriefOutage } from "../protocol/errors.ts";
import type { UnreadCounts } from "../protocol/native.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { ROOMS } from "./rooms.ts";
import type { TimerWheel } from "./timer_wheel.ts";

/** How long changes are collected before they are counted. */
const DELAY_MS = 250;

/** Milliseconds before it is tried again while the database is away. */
const RETRY_MS = 500;

/** The counting may take this part of the time: however large the inbox, it waits as much longer. */
const SHARE = 1 / 20;

export interface UnreadOptions {
  hub: Hub;
  wheel: TimerWheel;
  /** Unread messages of each of these users, by platform. */
  unreadCounts: (userIds: string[]) => Promise<Map<string, Record<string, number>>>;
  onError: (error: unknown) => void;
}

export function totalsOf(unreadCounts: Record<string, number> = {}): UnreadCounts {
  const totalUnread = Object.values(unreadCounts).reduce((sum, count) => sum + count, 0);
  return { totalUnread, unreadCounts };
}

export interface Unread {
  /** From now on the connection is told, first of what the totals are now. */
  join(connection: Connection): void;
}

/**
 * Tells the connections in `ROOMS.unread` their user's totals whenever a conversation's row changed
 * them. One query for all of them, however many there are; who already knows is not told again.
 */
export function followUnread({ hub, wheel, unreadCounts, onError }: UnreadOptions): Unread {
  const told = new WeakMap<Connection, string>();
  let waiting = false;
  let delay = DELAY_MS;

  async function tell(): Promise<void> {
    waiting = false;
    const userIds = new Set<string>();
    for (const { principal } of hub.members(ROOMS.unread)) {
      if (principal !== null) userIds.add(principal.userId);
    }
    if (userIds.size === 0) return;
    const start = performance.now();
    const counts = await unreadCounts([...userIds]);
    delay = Math.max(DELAY_MS, (performance.now() - start) / SHARE);
    const timestamp = new Date().toISOString();
    for (const connection of hub.members(ROOMS.unread)) {
      const own = counts.get(connection.principal?.userId ?? "");
      if (own === undefined) continue;
      const key = JSON.stringify(own);
      if (told.get(connection) === key) continue;
      told.set(connection, key);
      connection.sendEvent({ type: "unread_counts", timestamp, data: totalsOf(own) });
    }
  }

  function tellSoon(): void {
    if (waiting || hub.members(ROOMS.unread).size === 0) return;
    waiting = true;
    wheel.after(delay, () => void tell().catch(failed));
  }

  /** Nothing else may happen for a long time that would tell them. */
  function failed(error: unknown): void {
    onError(error);
    if (!isBriefOutage(error) || waiting) return;
    waiting = true;
    wheel.after(RETRY_MS, () => void tell().catch(failed));
  }

  hub.onDelivered(({ room, forAgents }) => {
    if (room === ROOMS.agents && forAgents?.type === "conversation") tellSoon();
  });
  return {
    join(connection) {
      hub.join(connection, ROOMS.unread);
      tellSoon();
    },
  };
}
