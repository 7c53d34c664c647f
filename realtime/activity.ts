import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import type { PresenceTracker } from "./presence.ts";
import type { TimerWheel } from "./timer_wheel.ts";

/** How many people are there now: in the whole workspace, or in one context. */
export interface Activity {
  agents: number;
  visitors: number;
  /** Sockets on this node; of the workspace only. */
  connections?: number;
}

export interface ActivityTracker {
  /** Gives the value at once, and again when it has changed. @param contextId null: the workspace. */
  follow(
    connection: Connection,
    contextId: string | null,
    give: (value: Activity) => void,
  ): Promise<void>;
  unfollow(connection: Connection): void;
}

interface Followed {
  contextId: string | null;
  followers: Map<Connection, (value: Activity) => void>;
  last: string;
}

/** How often a value is looked at, and so given at most. */
const EVERY_MS = 1000;

/** Looks at each value that somebody follows once a second, and at nothing while nobody does. */
export function createActivity(options: {
  hub: Hub;
  presence: PresenceTracker;
  wheel: TimerWheel;
  /** The conversation of a context, null where nobody has opened it. */
  conversationOf: (contextId: string) => Promise<string | null>;
  onError: (error: unknown) => void;
}): ActivityTracker {
  const { hub, presence, wheel, conversationOf, onError } = options;
  const followed = new Map<string, Followed>();
  let looking = false;

  async function valueOf(contextId: string | null): Promise<Activity> {
    if (contextId === null) return { ...presence.count(), connections: hub.connections.size };
    const conversationId = await conversationOf(contextId);
    if (conversationId === null) return { agents: 0, visitors: 0 };
    const { members } = presence.members(conversationId, { limit: Number.MAX_SAFE_INTEGER });
    const agents = members.filter(({ role }) => role === "agent").length;
    return { agents, visitors: members.length - agents };
  }

  async function look(): Promise<void> {
    for (const one of followed.values()) {
      const value = await valueOf(one.contextId);
      const text = JSON.stringify(value);
      if (text === one.last) continue;
      one.last = text;
      for (const give of one.followers.values()) give(value);
    }
  }

  function lookLater(): void {
    if (looking || followed.size === 0) return;
    looking = true;
    wheel.after(EVERY_MS, () => {
      void look().catch(onError).finally(() => {
        looking = false;
        lookLater();
      });
    });
  }

  const following = new WeakMap<Connection, string>();
  const watched = new WeakSet<Connection>();

  function unfollow(connection: Connection): void {
    const key = following.get(connection);
    if (key === undefined) return;
    following.delete(connection);
    const one = followed.get(key);
    one?.followers.delete(connection);
    if (one?.followers.size === 0) followed.delete(key);
  }

  return {
    async follow(connection, contextId, give) {
      const value = await valueOf(contextId);
      if (connection.isOver) return;
      if (!watched.has(connection)) {
        watched.add(connection);
        connection.cleanups.push(() => unfollow(connection));
      }
      const key = JSON.stringify(contextId);
      const one = followed.get(key) ??
        { contextId, followers: new Map(), last: JSON.stringify(value) };
      followed.set(key, one);
      one.followers.set(connection, give);
      following.set(connection, key);
      give(value);
      lookLater();
    },
    unfollow,
  };
}
