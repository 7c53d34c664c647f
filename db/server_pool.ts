/**
 * Connections to a Postgres server, as a pool for Kysely. Each has an error listener for its whole
 * life, every statement has a deadline, and every failure of the database is a
 * {@link DatabaseUnavailable}, so that the code above need not know how a connection can break.
 */
import type { PostgresPool, PostgresPoolClient } from "kysely";
import pg from "pg";
import type { Watch } from "./availability.ts";
import { DatabaseUnavailable, type Trouble, troubleOf } from "./database_error.ts";

/** Milliseconds; 0: no limit. */
export interface Timeouts {
  /** Until the server ends a statement. */
  statement: number;
  /** Until the server ends a wait for a lock. */
  lock: number;
  /** Until the server ends a connection that is idle in a transaction. */
  idleTransaction: number;
  /** Until a request for a connection fails. */
  connect: number;
  /** Until a connection is closed because a query is not answered. */
  query: number;
  /** Of silence until TCP keep-alive probes are sent. */
  keepAlive: number;
}

export interface PoolState {
  size: number;
  idle: number;
  /** Requests that wait for a connection. */
  waiting: number;
}

export interface ServerPool extends PostgresPool {
  state(): PoolState;
  /** Closes every connection, also in the middle of a query. */
  cut(error: Error): void;
}

export interface ServerPoolOptions {
  url: string;
  max: number;
  timeouts: Timeouts;
  watch: Watch;
  onTrouble?: ((kind: Trouble) => void) | undefined;
}

/** bigint is read as a number: positions stay far below 2^53. */
const INT8 = 20;
const types = {
  getTypeParser:
    ((oid: number, format?: "text" | "binary") =>
      oid === INT8
        ? (value: string) => Number(value)
        : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** How often a single statement is tried that fails because of other transactions. */
const TRIES: Partial<Record<Trouble, number>> = { deadlock: 3, lock_timeout: 2 };

/** A connection of the pool, from its opening to its end. */
class Connection implements PostgresPoolClient {
  /** The first error of the connection, which is the reason of all later ones. */
  broken: Error | null = null;
  /** Set while it is checked out. */
  raw: pg.PoolClient | null = null;
  /** Statements at the beginning of each transaction, behind a pooler; see `setTimeouts`. */
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

  /** Closes the connection, also in the middle of a query. */
  cut(error: Error): void {
    this.broken ??= error;
    (this.client as unknown as { connection: { stream: { destroy(error: Error): void } } })
      .connection.stream.destroy(error);
  }

  readonly query =
    ((text: string, values?: ReadonlyArray<unknown>) =>
      this.#query(text, values)) as unknown as PostgresPoolClient["query"];

  /** @throws {DatabaseUnavailable} where the database, and not the statement, is the reason. */
  async #query(text: string, values: ReadonlyArray<unknown> = []): Promise<pg.QueryResult> {
    for (let tries = 1;; tries++) {
      try {
        return await this.#once(text, values);
      } catch (error) {
        if (!(error instanceof DatabaseUnavailable)) throw error;
        this.options.onTrouble?.(error.kind);
        // A transaction would have to be repeated as a whole.
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
      // Errors after the first one have no information.
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
  const connections = new Map<pg.Client, Connection>();
  const pool = new pg.Pool({
    ...configOf(options.url, timeouts),
    max,
    types,
    onConnect: (async (client: pg.Client) => {
      const connection = new Connection(client, watch.era, options);
      connections.set(client, connection);
      await setTimeouts(connection, timeouts);
    }) as unknown as (client: pg.ClientBase) => void,
  });
  // An idle connection that ends is replaced when it is needed, but the server may be gone.
  pool.on("error", (error) => watch.suspect(error));
  pool.on("remove", (client) => connections.delete(client as unknown as pg.Client));

  async function connect(): Promise<Connection> {
    for (;;) {
      await watch.admit();
      const { era } = watch;
      try {
        const raw = await pool.connect();
        const connection = connections.get(raw as unknown as pg.Client)!;
        if (connection.broken === null && connection.era === watch.era) {
          connection.raw = raw;
          return connection;
        }
        // It is of before an outage, and may be dead without an error.
        connection.cut(new Error("The connection is older than an outage"));
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
      for (const connection of connections.values()) connection.cut(error);
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
 * Sets the timeouts in the server: once, where the connection is to the server itself. A pooler uses
 * another of its connections for each transaction, and settings would stay in it for other
 * programs; so there each transaction sets them with its `begin`. Behind a pooler the process id of
 * the connection differs from that of the server.
 */
async function setTimeouts(connection: Connection, timeouts: Timeouts): Promise<void> {
  const { statement, lock, idleTransaction } = timeouts;
  const values = {
    statement_timeout: statement,
    lock_timeout: lock,
    idle_in_transaction_session_timeout: idleTransaction,
  };
  const names = Object.entries(values);
  const { rows } = await connection.query<{ direct: boolean }>(
    `select pg_backend_pid() = ${connection.processID} as direct, ${
      names.map(([name, ms]) =>
        `case when pg_backend_pid() = ${connection.processID}
          then set_config('${name}', '${ms}', false) end as ${name}`
      ).join(", ")
    }`,
    [],
  );
  if (rows[0]!.direct) return;
  connection.prelude = names.map(([name, ms]) => `set local ${name} = ${ms}`).join("; ");
}

/** Opens a connection of its own and checks whether the server takes changes; for {@link Watch}. */
export async function probeServer(
  url: string,
  timeouts: Timeouts,
): Promise<"up" | "read_only"> {
  // TCP repeats the first packet after a second: a new connection is faster.
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
    // Not awaited: the server may not answer.
    void client.end().catch(() => {});
  }
}

const PROBE_MS = 1500;
