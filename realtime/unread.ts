import { isBriefOutage } from "../protocol/errors.ts";
import type { UnreadCounts } from "../protocol/native.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { ROOMS } from "./rooms.ts";
import type { TimerWheel } from "./timer_wheel.ts";

/** How long changes are collected before the totals are read. */
const DELAY_MS = 250;

/** Milliseconds before a retry while the database is away. */
const RETRY_MS = 500;

/** The query may take this part of the time: for a large inbox the delay is longer. */
const MAX_SHARE = 1 / 20;

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
  /** The connection receives the totals now, and after each change. */
  join(connection: Connection): void;
}

/**
 * Sends the connections in `ROOMS.unread` their user's totals whenever a conversation's change may
 * have changed them. One query for all of them; totals that were sent already are not sent again.
 */
export function followUnread({ hub, wheel, unreadCounts, onError }: UnreadOptions): Unread {
  const lastSent = new WeakMap<Connection, string>();
  let isPending = false;
  let delay = DELAY_MS;

  async function send(): Promise<void> {
    isPending = false;
    const userIds = new Set<string>();
    for (const { principal } of hub.members(ROOMS.unread)) {
      if (principal !== null) userIds.add(principal.userId);
    }
    if (userIds.size === 0) return;
    const start = performance.now();
    const counts = await unreadCounts([...userIds]);
    delay = Math.max(DELAY_MS, (performance.now() - start) / MAX_SHARE);
    const timestamp = new Date().toISOString();
    for (const connection of hub.members(ROOMS.unread)) {
      const own = counts.get(connection.principal?.userId ?? "");
      if (own === undefined) continue;
      const key = JSON.stringify(own);
      if (lastSent.get(connection) === key) continue;
      lastSent.set(connection, key);
      connection.sendEvent({ type: "unread_counts", timestamp, data: totalsOf(own) });
    }
  }

  function sendSoon(): void {
    if (isPending || hub.members(ROOMS.unread).size === 0) return;
    isPending = true;
    wheel.after(delay, () => void send().catch(failed));
  }

  /** A retry, because the next change may be much later. */
  function failed(error: unknown): void {
    onError(error);
    if (!isBriefOutage(error) || isPending) return;
    isPending = true;
    wheel.after(RETRY_MS, () => void send().catch(failed));
  }

  hub.onDelivered(({ room, forAgents }) => {
    if (room === ROOMS.agents && forAgents?.type === "conversation") sendSoon();
  });
  return {
    join(connection) {
      hub.join(connection, ROOMS.unread);
      sendSoon();
    },
  };
}
