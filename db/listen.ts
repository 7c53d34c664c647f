import pg from "pg";
import type { Availability } from "./availability.ts";
import type { Timeouts } from "./server_pool.ts";

export interface Listening {
  stop(): Promise<void>;
}

/**
 * Calls `onNotify` after each NOTIFY of the channel with its payload, and without one whenever some
 * may have been missed. Resolves when notifications arrive, or after a first failure, which is tried
 * again.
 */
export type Listen = (
  channel: string,
  onNotify: (payload?: string) => void,
) => Promise<Listening>;

/** Milliseconds before a lost connection is opened again; doubles up to the second value. */
const RETRY_MS = [100, 1000] as const;

/** The wait after a failed try that followed a wait of `waitMs`. */
export function nextWait(waitMs: number): number {
  return Math.min(waitMs * 2, RETRY_MS[1]);
}

/** How often the connection is checked: nothing else is sent on it. */
const CHECK_MS = 5000;

/**
 * LISTEN on a Postgres server, on a connection of its own, which is opened again when it is lost.
 * Meanwhile there are no notifications, so callers also have to poll.
 *
 * @param url without a pooler that uses a connection for one transaction only
 */
export function listenOnServer(
  url: string,
  { timeouts, availability }: {
    timeouts: Pick<Timeouts, "connect" | "query" | "keepAlive">;
    availability: Availability;
  },
): Listen {
  return async (channel, onNotify) => {
    let stopped = false;
    let client: pg.Client | null = null;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let waitMs: number = RETRY_MS[0];
    let check = () => {};

    async function connect(): Promise<void> {
      clearTimeout(retry);
      const next = new pg.Client({
        connectionString: url,
        keepAlive: true,
        keepAliveInitialDelayMillis: timeouts.keepAlive,
        connectionTimeoutMillis: timeouts.connect,
        // A query that times out closes the connection, below.
        query_timeout: timeouts.query,
      });
      let over = false;
      const lost = () => {
        if (over) return;
        over = true;
        if (client === next) client = null;
        destroy(next);
        if (stopped) return;
        retry = setTimeout(() => void connect(), waitMs);
        waitMs = nextWait(waitMs);
      };
      next.on("error", lost);
      next.on("end", lost);
      next.on("notification", ({ payload }) => onNotify(payload));
      try {
        await next.connect();
        await next.query(`listen ${next.escapeIdentifier(channel)}`);
        if (stopped) return void await next.end();
        client = next;
        waitMs = RETRY_MS[0];
        check = () => void next.query("select 1").catch(lost);
        onNotify();
      } catch {
        // Outages are logged by db/availability.ts.
        lost();
      }
    }

    const timer = setInterval(() => client !== null && check(), CHECK_MS);
    // At once after an outage: the connection may be dead without an error.
    const unsubscribe = availability.subscribe(({ state }) => {
      if (stopped || state !== "up") return;
      waitMs = RETRY_MS[0];
      if (client !== null) check();
      else if (retry !== undefined) {
        clearTimeout(retry);
        retry = setTimeout(() => void connect(), 0);
      }
    });

    await connect();
    return {
      async stop() {
        stopped = true;
        unsubscribe();
        clearInterval(timer);
        clearTimeout(retry);
        const last = client;
        client = null;
        await last?.end().catch(() => {});
      },
    };
  };
}

/** Without `end()`, which waits for an answer that may never come. */
function destroy(client: pg.Client): void {
  client.on("error", () => {});
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream
    .destroy();
}
