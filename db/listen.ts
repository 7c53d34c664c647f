import pg from "pg";

export interface Listening {
  stop(): Promise<void>;
}

/**
 * Calls `onNotify` after each NOTIFY of the channel, and whenever one may have been missed. The
 * promise resolves when notifications arrive, or cannot for now, which is tried again.
 */
export type Listen = (channel: string, onNotify: () => void) => Promise<Listening>;

/** Milliseconds before a lost connection is made again; doubles up to the second. */
const RETRY_MS = [250, 10_000] as const;

/**
 * LISTEN on a Postgres server: a connection of its own, because what a pool lends is given back,
 * and made again when it is lost. Until it is back nothing is told, so whoever has to hear of
 * everything also looks from time to time.
 *
 * @param url without a pooler in between that lends a connection for a transaction only
 */
export function listenOnServer(url: string, onError?: (error: Error) => void): Listen {
  return async (channel, onNotify) => {
    let stopped = false;
    let client: pg.Client | null = null;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let waitMs: number = RETRY_MS[0];

    async function connect(): Promise<void> {
      const next = new pg.Client({
        connectionString: url,
        keepAlive: true,
        connectionTimeoutMillis: 10_000,
      });
      let over = false;
      const lost = (error?: Error) => {
        if (over) return;
        over = true;
        if (client === next) client = null;
        next.end().catch(() => {});
        if (stopped) return;
        if (error !== undefined) onError?.(error);
        retry = setTimeout(() => void connect(), waitMs);
        waitMs = Math.min(waitMs * 2, RETRY_MS[1]);
      };
      next.on("error", lost);
      next.on("end", () => lost());
      next.on("notification", onNotify);
      try {
        await next.connect();
        await next.query(`listen ${next.escapeIdentifier(channel)}`);
        if (stopped) return void await next.end();
        client = next;
        waitMs = RETRY_MS[0];
        onNotify();
      } catch (error) {
        lost(error as Error);
      }
    }

    await connect();
    return {
      async stop() {
        stopped = true;
        clearTimeout(retry);
        await client?.end().catch(() => {});
      },
    };
  };
}
