/**
 * Connections to a Postgres server, as Kysely takes them from a pool: each has an error listener for
 * its whole life, every statement a deadline, and what goes wrong is said as a
 * {@link DatabaseUnavailable}, so that nobody above has to know how a connection can break.
 */
import type { PostgresPool, PostgresPoolClient } from "kysely";
import pg from "pg";
import type { Watch } from "./availability.ts";
import { DatabaseUnavailable, type Trouble, troubleOf } from "./database_error.ts";

/** Milliseconds; 0: no limit. */
export interface Timeouts {
  /** After which the server ends a statement. */
  statement: number;
  /** After which the server ends a wait for a lock. */
  lock: number;
  /** After which the server ends a connection that is in a transaction and says nothing. */
  idleTransaction: number;
  /** Until there is a connection: one of the pool's, or a new one. */
  connect: number;
  /** Without an answer, after which the connection is given up. */
  query: number;
  /** Silence after which the operating system asks whether the other end is there. */
  keepAlive: number;
}

export interface PoolState {
  size: number;
  idle: number;
  /** Who waits for a connection. */
  waiting: number;
}

export interface ServerPool extends PostgresPool {
  state(): PoolState;
  /** Ends every connection, also in the middle of a query. */
  cut(error: Error): void;
}

export interface ServerPoolOptions {
  url: string;
  max: number;
  timeouts: Timeouts;
  watch: Watch;
  onTrouble?: ((kind: Trouble) => void) | undefined;
}

/** bigint as number: positions stay far below 2^53. */
const INT8 = 20;
const types = {
  getTypeParser:
    ((oid: number, format?: "text" | "binary") =>
      oid === INT8
        ? (value: string) => Number(value)
        : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** Tries of a single statement that lost only because of others. */
const TRIES: Partial<Record<Trouble, number>> = { deadlock: 3, lock_timeout: 2 };

/** A connection, for as long as it lives. */
class Session implements PostgresPoolClient {
  /** What was wrong with it first; whatever is asked of it after that fails for this reason. */
  broken: Error | null = null;
  /** Set while it is lent. */
  raw: pg.PoolClient | null = null;
  /** Statements that set what the server would not remember; "": it does. */
  prelude = "";
  #inTransaction = false;

  constructor(
    readonly client: pg.Client,
    readonly era: number,
    private readonly options: ServerPoolOptions,
  ) {
    client.on("error", (error) => this.broken ??= error);
  }

  get processID(): number {
    return (this.client as unknown as { processID: number }).processID;
  }

  /** Gives the connection up, in the middle of whatever it does. */
  cut(error: Error): void {
    this.broken ??= error;
    (this.client as unknown as { connection: { stream: { destroy(error: Error): void } } })
      .connection.stream.destroy(error);
  }

  readonly query =
    ((text: string, values?: ReadonlyArray<unknown>) =>
      this.#query(text, values)) as unknown as PostgresPoolClient["query"];

  /** @throws {DatabaseUnavailable} where the database, and not the statement, is to blame. */
  async #query(text: string, values: ReadonlyArray<unknown> = []): Promise<pg.QueryResult> {
    for (let tries = 1;; tries++) {
      try {
        return await this.#once(text, values);
      } catch (error) {
        if (!(error instanceof DatabaseUnavailable)) throw error;
        this.options.onTrouble?.(error.kind);
        // Within a transaction all of it would have to be done again.
        const again = !this.#inTransaction && tries < (TRIES[error.kind] ?? 1);
        if (again) continue;
        this.options.watch.report(error, this.era);
        throw error;
      }
    }
  }

  async #once(text: string, values: ReadonlyArray<unknown>): Promise<pg.QueryResult> {
    const limit = this.options.timeouts.query;
    let late: DatabaseUnavailable | undefined;
    const timer = limit === 0 ? undefined : setTimeout(() => {
      late = new DatabaseUnavailable("query_timeout", new Error(`No answer within ${limit} ms`));
      this.cut(late);
    }, limit);
    const begins = text === "begin" || text.startsWith("start transaction");
    if (begins) this.#inTransaction = true;
    try {
      const sent = begins && this.prelude !== "" ? `${text}; ${this.prelude}` : text;
      return await this.client.query(sent, [...values]);
    } catch (error) {
      if (late !== undefined) throw late;
      // What comes after the first error says only that there was one.
      const kind = this.broken === null ? troubleOf(error) : troubleOf(this.broken) ?? "connection";
      throw kind === null ? error : new DatabaseUnavailable(kind, this.broken ?? error);
    } finally {
      clearTimeout(timer);
      if (text === "commit" || text === "rollback") this.#inTransaction = false;
    }
  }

  release(destroy = false): void {
    const { raw } = this;
    this.raw = null;
    this.#inTransaction = false;
    raw?.release(destroy || this.broken !== null || this.era !== this.options.watch.era);
  }
}

export function createServerPool(options: ServerPoolOptions): ServerPool {
  const { max, timeouts, watch } = options;
  const sessions = new Map<pg.Client, Session>();
  const pool = new pg.Pool({
    ...configOf(options.url, timeouts),
    max,
    types,
    onConnect: (async (client: pg.Client) => {
      const session = new Session(client, watch.era, options);
      sessions.set(client, session);
      await setTimeouts(session, timeouts);
    }) as unknown as (client: pg.ClientBase) => void,
  });
  // An idle connection that ends is replaced when it is needed; the server may be gone, though.
  pool.on("error", (error) => watch.suspect(error));
  pool.on("remove", (client) => sessions.delete(client as unknown as pg.Client));

  async function connect(): Promise<Session> {
    for (;;) {
      await watch.admit();
      const { era } = watch;
      try {
        const raw = await pool.connect();
        const session = sessions.get(raw as unknown as pg.Client)!;
        if (session.broken === null && session.era === watch.era) {
          session.raw = raw;
          return session;
        }
        // Of before an outage: it may be dead and not know it.
        session.cut(new Error("Connection of before an outage"));
        raw.release(true);
      } catch (cause) {
        const error = cause instanceof DatabaseUnavailable
          ? cause
          : new DatabaseUnavailable(troubleOf(cause) ?? "connection", cause);
        options.onTrouble?.(error.kind);
        watch.report(error, era);
        throw error;
      }
    }
  }

  return {
    options: pool.options as object,
    connect,
    end: () => pool.end(),
    state: () => ({
      size: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
    cut(error) {
      for (const session of sessions.values()) session.cut(error);
    },
  };
}

function configOf(url: string, { connect, keepAlive }: Timeouts): pg.ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: connect,
    keepAlive: keepAlive > 0,
    keepAliveInitialDelayMillis: keepAlive,
  };
}

/**
 * Tells the server its timeouts: once, where the connection is to the server itself. A pooler lends
 * another of its connections for each transaction, and what is set in one would stay there for
 * other programs; so there each transaction sets its own, together with its `begin`. A pooler is
 * known by its process id, which is not the server's.
 */
async function setTimeouts(session: Session, timeouts: Timeouts): Promise<void> {
  const { statement, lock, idleTransaction } = timeouts;
  const values = {
    statement_timeout: statement,
    lock_timeout: lock,
    idle_in_transaction_session_timeout: idleTransaction,
  };
  const names = Object.entries(values);
  const { rows } = await session.query<{ direct: boolean }>(
    `select pg_backend_pid() = ${session.processID} as direct, ${
      names.map(([name, ms]) =>
        `case when pg_backend_pid() = ${session.processID}
          then set_config('${name}', '${ms}', false) end as ${name}`
      ).join(", ")
    }`,
    [],
  );
  if (rows[0]!.direct) return;
  session.prelude = names.map(([name, ms]) => `set local ${name} = ${ms}`).join("; ");
}

/** Makes a connection of its own and asks what the server takes; for {@link Watch}. */
export async function probeServer(
  url: string,
  timeouts: Timeouts,
): Promise<"up" | "read_only"> {
  // The first packet of a connection is repeated after a second: a new try is faster.
  const limit = Math.min(timeouts.connect || PROBE_MS, PROBE_MS);
  const client = new pg.Client(configOf(url, { ...timeouts, connect: limit }));
  let broken: Error | undefined;
  client.on("error", (error) => broken ??= error);
  const timer = setTimeout(() => {
    (client as unknown as { connection: { stream: { destroy(error: Error): void } } })
      .connection.stream.destroy(new Error(`No answer within ${limit} ms`));
  }, limit);
  try {
    await client.connect();
    const { rows } = await client.query<{ only: string }>(
      "select current_setting('transaction_read_only') as only",
    );
    return rows[0]!.only === "on" ? "read_only" : "up";
  } catch (error) {
    throw broken ?? error;
  } finally {
    clearTimeout(timer);
    // It says goodbye by itself; a server that does not answer is not waited for.
    void client.end().catch(() => {});
  }
}

const PROBE_MS = 1500;
