/** The database, its timeouts, and the folder of the embedded one. */
import { flag, int, setting, text, url } from "./define.ts";

export const database = {
  url: setting(
    "DATABASE_URL",
    url(["postgres:", "postgresql:"]),
    undefined,
    "URL of the Postgres server; unset: the embedded database in DATA_DIR",
    { secret: true },
  ),
  directUrl: setting(
    "DATABASE_DIRECT_URL",
    url(["postgres:", "postgresql:"]),
    undefined,
    "URL of the same server without a pooler such as PgBouncer, for LISTEN; unset: DATABASE_URL",
    { secret: true },
  ),
  pool: setting(
    "DATABASE_POOL",
    int(2, 200),
    "10",
    "Connections of each node to the Postgres server; up to two more are for long jobs",
  ),
  statementTimeoutMs: setting(
    "DATABASE_STATEMENT_TIMEOUT_MS",
    int(0, 3_600_000),
    "4000",
    "Time after which Postgres ends a statement of a request; 0: never",
  ),
  lockTimeoutMs: setting(
    "DATABASE_LOCK_TIMEOUT_MS",
    int(0, 3_600_000),
    "2000",
    "Time after which Postgres ends a wait for a lock; 0: never",
  ),
  idleTransactionTimeoutMs: setting(
    "DATABASE_IDLE_TRANSACTION_TIMEOUT_MS",
    int(0, 3_600_000),
    "3000",
    "Time after which Postgres ends an idle transaction of a node, with its locks; 0: never",
  ),
  connectTimeoutMs: setting(
    "DATABASE_CONNECT_TIMEOUT_MS",
    int(100, 600_000),
    "5000",
    "Time to get a connection, a new one or one of the pool",
  ),
  queryTimeoutMs: setting(
    "DATABASE_QUERY_TIMEOUT_MS",
    int(0, 3_600_000),
    "5000",
    "Time without a response after which the node closes the connection; a little more than DATABASE_STATEMENT_TIMEOUT_MS; 0: never",
  ),
  keepAliveMs: setting(
    "DATABASE_KEEPALIVE_MS",
    int(1000, 7_200_000),
    "10000",
    "Silence on a connection after which TCP sends a keepalive probe",
  ),
  retryMs: setting(
    "DATABASE_RETRY_MS",
    int(0, 600_000),
    "4000",
    "Time for which a change is tried again while the database is away, or its rows are locked elsewhere; then it is refused as unavailable",
  ),
  jobTimeoutMs: setting(
    "DATABASE_JOB_TIMEOUT_MS",
    int(0, 86_400_000),
    "600000",
    "The same as DATABASE_STATEMENT_TIMEOUT_MS for migrations, metrics and housekeeping (10 minutes)",
  ),
  stuckMs: setting(
    "DATABASE_STUCK_MS",
    int(0, 86_400_000).refine((ms) => ms === 0 || ms >= 2000, "must be 0, or 2000 at least"),
    "60000",
    "Time for which the embedded database may block the process before the process is killed; during the start DATABASE_JOB_TIMEOUT_MS, if longer; 0: never",
  ),
  migrateOnStart: setting(
    "MIGRATE_ON_START",
    flag,
    "true",
    "Whether a start migrates the schema; false: it waits until deno task migrate has done it",
  ),
  dataDir: setting(
    "DATA_DIR",
    text(1, "must be a folder's path"),
    "./data",
    "Folder of the embedded database and of generated secrets",
  ),
  minFreeDiskBytes: setting(
    "MIN_FREE_DISK_BYTES",
    int(0, 1_099_511_627_776),
    "268435456",
    "Free space on the disk of the embedded database below which changes are refused; 0: not checked",
  ),
};
