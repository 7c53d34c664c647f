/**
 * Every setting, its default and its check, in one schema. Settings come from the environment;
 * the table of docs/settings.md is made from the same descriptions. An empty value counts as unset.
 */
import { z } from "zod";
import { isRange } from "./domain/network.ts";
import { readPublicKey } from "./domain/visitors/public_key.ts";

const int = (min: number, max: number) =>
  z.string().regex(/^\d+$/, `must be a whole number from ${min} to ${max}`).transform(Number)
    .refine((n) => n >= min && n <= max, `must be a whole number from ${min} to ${max}`);

const url = (protocols: string[]) =>
  z.string().refine((value) => {
    try {
      return protocols.includes(new URL(value).protocol);
    } catch {
      return false;
    }
  }, `must be a URL that starts with ${protocols.map((p) => `${p}//`).join(" or ")}`);

const origins = z.string().transform((value) =>
  value.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "")
).refine((list) =>
  list.every((entry) => {
    try {
      return new URL(entry).origin === entry;
    } catch {
      return false;
    }
  }), "must be origins such as https://example.com, separated by commas");

const names = z.string().transform((value) =>
  value.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "")
);

const origin = z.string().refine((value) => {
  try {
    const { protocol, origin } = new URL(value);
    return origin === value && (protocol === "https:" || protocol === "http:");
  } catch {
    return false;
  }
}, "must be an origin such as https://chat.example.com, without a path");

const addresses = z.string().transform((value) =>
  value.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "")
).refine(
  (list) => list.every(isRange),
  "must be IP addresses or CIDR ranges such as 10.0.0.0/8, separated by commas",
);

const flag = z.enum(["true", "false"], 'must be "true" or "false"').transform((v) => v === "true");

interface Setting {
  schema: z.ZodType<unknown, string>;
  /** As text, the way it would stand in the environment; undefined: unset. */
  default?: string;
  about: string;
  secret?: boolean;
}

function setting<T>(
  schema: z.ZodType<T, string>,
  fallback: string,
  about: string,
): { schema: z.ZodType<T, string>; default: string; about: string };
function setting<T>(
  schema: z.ZodType<T, string>,
  fallback: undefined,
  about: string,
  secret?: boolean,
): { schema: z.ZodType<T | undefined, string>; about: string; secret?: boolean };
function setting(
  schema: z.ZodType<unknown, string>,
  fallback: string | undefined,
  about: string,
  secret = false,
): Setting {
  return { schema, default: fallback, about, secret };
}

const publicKey = z.string().transform((value) => value.replaceAll("\\n", "\n")).refine(
  (value) => {
    try {
      return readPublicKey(value) !== null;
    } catch {
      return false;
    }
  },
  "must be a public key in PEM (RSA, P-256, P-384, P-521 or Ed25519)",
);

const text = (min: number, what: string) => z.string().min(min, what);

export const SETTINGS = {
  PORT: setting(int(0, 65535), "8000", "TCP port to listen on; 0 takes a free one"),
  HOST: setting(text(1, "must be a host name or address"), "0.0.0.0", "Address to listen on"),
  DATABASE_URL: setting(
    url(["postgres:", "postgresql:"]),
    undefined,
    "Postgres server; unset: the embedded database in DATA_DIR",
    true,
  ),
  DATABASE_DIRECT_URL: setting(
    url(["postgres:", "postgresql:"]),
    undefined,
    "The same server without a pooler such as PgBouncer between, for LISTEN; unset: DATABASE_URL",
    true,
  ),
  DATABASE_POOL: setting(
    int(2, 200),
    "10",
    "Connections to the Postgres server, of each node; up to two more do what takes long",
  ),
  DATABASE_STATEMENT_TIMEOUT_MS: setting(
    int(0, 3_600_000),
    "4000",
    "Time after which Postgres ends a statement of a request; 0: never",
  ),
  DATABASE_LOCK_TIMEOUT_MS: setting(
    int(0, 3_600_000),
    "2000",
    "Time after which Postgres ends a wait for what somebody else has locked; 0: never",
  ),
  DATABASE_IDLE_TRANSACTION_TIMEOUT_MS: setting(
    int(0, 3_600_000),
    "3000",
    "Time after which a node that stands still in a transaction loses it, and its locks; 0: never",
  ),
  DATABASE_CONNECT_TIMEOUT_MS: setting(
    int(100, 600_000),
    "5000",
    "Time to get a connection, a new one or one of the pool's",
  ),
  DATABASE_QUERY_TIMEOUT_MS: setting(
    int(0, 3_600_000),
    "5000",
    "Time without an answer after which the node itself gives a connection up; a little more than DATABASE_STATEMENT_TIMEOUT_MS; 0: never",
  ),
  DATABASE_KEEPALIVE_MS: setting(
    int(1000, 7_200_000),
    "10000",
    "Silence on a connection after which TCP asks whether the server is there",
  ),
  DATABASE_RETRY_MS: setting(
    int(0, 600_000),
    "4000",
    "Time for which a change is tried again while the database is away, or somebody else has locked what it changes; then it is refused as unavailable",
  ),
  DATABASE_JOB_TIMEOUT_MS: setting(
    int(0, 86_400_000),
    "600000",
    "The same as DATABASE_STATEMENT_TIMEOUT_MS for migrations, figures and tidying up (10 minutes)",
  ),
  DATABASE_STUCK_MS: setting(
    int(0, 86_400_000).refine((ms) => ms === 0 || ms >= 2000, "must be 0, or 2000 at least"),
    "60000",
    "Time for which the embedded database may hold up the process before that is ended; while it starts DATABASE_JOB_TIMEOUT_MS, if longer; 0: never",
  ),
  MIGRATE_ON_START: setting(
    flag,
    "true",
    "Whether a start brings the schema up to date; false: it waits until deno task migrate has done it",
  ),
  BROKER: setting(
    z.enum(
      ["auto", "memory", "channel", "redis", "postgres"],
      'must be "auto", "memory", "channel", "redis" or "postgres"',
    ),
    "auto",
    "How nodes reach each other: memory, channel (workers), redis or postgres; auto: redis with REDIS_URL, postgres on Deno Deploy, channel between workers",
  ),
  REDIS_URL: setting(
    url(["redis:", "rediss:"]),
    undefined,
    "Redis server that carries events between several nodes",
    true,
  ),
  NODE_TIMEOUT_MS: setting(
    int(500, 600_000),
    "5000",
    "Silence after which another node is gone, with the people who were connected to it",
  ),
  MAX_BROKER_BYTES: setting(
    int(65_536, 1_073_741_824),
    "16777216",
    "What a node keeps of events on their way to others; past it they are lost, and clients recover",
  ),
  DATA_DIR: setting(
    text(1, "must be a folder's path"),
    "./data",
    "Folder of the embedded database and of generated secrets",
  ),
  MIN_FREE_DISK_BYTES: setting(
    int(0, 1_099_511_627_776),
    "268435456",
    "Free space on the disk of the embedded database, below which nothing is written; 0: not watched",
  ),
  JWT_SECRET: setting(
    text(32, "must have at least 32 characters"),
    undefined,
    "Key of access tokens (HS256); unset: made once and kept in DATA_DIR",
    true,
  ),
  JWT_JWKS_URL: setting(
    url(["https:", "http:"]),
    undefined,
    "Where an outside issuer of participants' tokens shows its keys (JWKS)",
  ),
  JWT_PUBLIC_KEY: setting(
    publicKey,
    undefined,
    "Or its one public key in PEM; line ends may be written as \\n",
    // It is not one, but what stands here by mistake may be.
    true,
  ),
  JWT_ISSUER: setting(text(1, "must not be empty"), undefined, "What iss of such tokens must be"),
  JWT_AUDIENCE: setting(
    text(1, "must not be empty"),
    undefined,
    "What aud of participants' tokens must have",
  ),
  JWT_ANY_CONTEXT_ISSUERS: setting(
    names,
    "",
    "Values of iss, with commas between, whose participants may enter any context where their token names none; * for every token that is good",
  ),
  FRONTEND_URL: setting(
    origins,
    "",
    "Origins besides this server's own that may use the agents' API and sockets; also as WEBSOCKET_CORS_ORIGIN",
  ),
  PUBLIC_URL: setting(
    origin,
    undefined,
    "Origin under which people reach this server, such as https://chat.example.com; unset: as the Host header says",
  ),
  TRUSTED_PROXIES: setting(
    addresses,
    "",
    "Proxies whose X-Forwarded-For, -Proto and -Host are believed",
  ),
  ADMIN_EMAIL: setting(
    z.email("must be an e-mail address"),
    undefined,
    "With ADMIN_PASSWORD: makes the first admin when there is no user",
  ),
  ADMIN_PASSWORD: setting(
    text(10, "must have at least 10 characters"),
    undefined,
    "Password of the first admin",
    true,
  ),
  METRICS_TOKEN: setting(
    text(16, "must have at least 16 characters"),
    undefined,
    "Bearer token for /metrics; unset: only peers on this machine or a private network may read it",
    true,
  ),
  BOT_NAME: setting(
    text(1, "must not be empty"),
    "Assistant",
    "Name under which context rules write to visitors",
  ),
  DEV_RELOAD: setting(
    flag,
    "false",
    "Reloads open pages when the server starts again, and opens /websocket-test without a sign-in; deno task dev sets it",
  ),
  LOG_LEVEL: setting(
    z.enum(["debug", "info", "warning", "error"], "must be debug, info, warning or error"),
    "info",
    "What is logged: debug, info, warning or error",
  ),
  LOG_FORMAT: setting(
    z.enum(["auto", "json", "text"], 'must be "auto", "json" or "text"'),
    "auto",
    "Form of log lines: json (an object a line), text (for people), or auto: text at a terminal, otherwise json",
  ),
  SECURE_COOKIES: setting(
    flag,
    undefined,
    "Marks cookies Secure; unset: only when the request came over HTTPS",
  ),
  LIMIT_CONNECTIONS_PER_MINUTE: setting(
    int(1, 1_000_000),
    "10",
    "New sockets per minute and network (an IPv4 address or an IPv6 /64). The default does not apply to direct loopback peers; a value that you set applies to all",
  ),
  LIMIT_MESSAGES_PER_MINUTE: setting(
    int(1, 1_000_000),
    "100",
    "Commands per minute and connection (typing has its own)",
  ),
  LIMIT_ROOM_BROADCASTS_PER_MINUTE: setting(
    int(1, 10_000_000),
    "1000",
    "Messages and typing per minute and conversation",
  ),
  LIMIT_TYPING_PER_MINUTE: setting(
    int(1, 1_000_000),
    "30",
    "Typing commands per minute and connection",
  ),
  LIMIT_EDITS_PER_MINUTE: setting(
    int(1, 10_000_000),
    "1200",
    "Edits of shared documents per minute and connection",
  ),
  LIMIT_CURSORS_PER_MINUTE: setting(
    int(1, 10_000_000),
    "1200",
    "Moves of a cursor in shared documents per minute and connection",
  ),
  LIMIT_LOGINS_PER_MINUTE: setting(
    int(1, 100_000),
    "10",
    "Failed sign-ins per minute of one network (an IPv4 address or an IPv6 /64) at one account; five times as many in all",
  ),
  MAX_SIGN_IN_DELAY_MS: setting(
    int(0, 60_000),
    "10000",
    "Longest time for which a sign-in to an account that somebody guesses at is held back",
  ),
  MAX_DELAYED_SIGN_INS: setting(
    int(1, 100_000),
    "1000",
    "Sign-ins held back at a time; past it they are refused with retryAfter",
  ),
  MAX_PASSWORDS_AT_ONCE: setting(
    int(1, 64),
    "2",
    "Passwords hashed or compared at a time, each with 32 MB and a thread",
  ),
  MAX_PENDING_PASSWORDS: setting(
    int(1, 10_000),
    "20",
    "Passwords waiting for that; past it they are refused with retryAfter",
  ),
  LIMIT_SESSIONS_PER_MINUTE: setting(
    int(1, 1_000_000),
    "60",
    "New visitor sessions per minute and network",
  ),
  LIMIT_REQUESTS_PER_MINUTE: setting(
    int(1, 10_000_000),
    "12000",
    "Requests to the API per minute and network. The default does not apply to direct loopback peers",
  ),
  LIMIT_RENAMES_PER_MINUTE: setting(
    int(1, 1_000_000),
    "10",
    "Changes of one contact's name per minute",
  ),
  LIMIT_API_REQUESTS_PER_MINUTE: setting(
    int(1, 10_000_000),
    "6000",
    "Requests per minute and API key",
  ),
  MAX_MESSAGE_BYTES: setting(int(1024, 16_777_216), "65536", "Largest message from a client"),
  MAX_SUBSCRIPTIONS: setting(
    int(1, 100_000),
    "128",
    "Conversations joined per connection, and as many subscriptions to tables",
  ),
  MAX_CONNECTIONS_PER_USER: setting(
    int(1, 100_000),
    "20",
    "Connections per user; the oldest is closed for a new one",
  ),
  MAX_UNAUTHENTICATED_SOCKETS: setting(
    int(1, 1_000_000),
    "5000",
    "Sockets and Engine.IO sessions that are not authenticated, also those that were ended and do not let go; past it new ones get 503",
  ),
  MAX_UNAUTHENTICATED_SOCKETS_PER_NETWORK: setting(
    int(1, 1_000_000),
    "100",
    "The same of one network; past it new ones get 429. The default does not apply to direct loopback peers",
  ),
  MEMORY_LIMIT_BYTES: setting(
    int(67_108_864, 2 ** 50),
    undefined,
    "Memory that the process may take; unset: that of the container (cgroup) or of the machine, where the runtime may read it",
  ),
  MEMORY_GUARD_PERCENT: setting(
    int(0, 100),
    "80",
    "Part of it past which new sockets are refused and those not authenticated are let go; 0: never",
  ),
  MEMORY_STOP_PERCENT: setting(
    int(0, 100),
    "95",
    "Part of it past which the process drains and ends, to be started again by its supervisor; 0: never",
  ),
  MAX_OPEN_REQUESTS: setting(
    int(1, 1_000_000),
    "2000",
    "Requests to the API that are not answered yet; past it new ones get 503",
  ),
  MAX_OPEN_REQUESTS_PER_NETWORK: setting(
    int(1, 1_000_000),
    "200",
    "The same of one network; past it new ones get 429. The default does not apply to direct loopback peers",
  ),
  MAX_PENDING_CONNECTIONS: setting(
    int(1, 65_535),
    "4096",
    "Connections that the kernel keeps until they are accepted (net.core.somaxconn at most); with --parallel 511 a worker",
  ),
  MAX_PRE_AUTH_BYTES: setting(
    int(1024, 16_777_216),
    "262144",
    "Bytes that a connection may send before it is authenticated",
  ),
  MAX_PRE_AUTH_MESSAGES: setting(
    int(1, 10_000),
    "20",
    "Messages that a connection may send before it is authenticated",
  ),
  MAX_QUEUE_BYTES: setting(
    int(16_384, 1_073_741_824),
    "1048576",
    "Outbound bytes waiting per connection; past it the reader is too slow and is let go",
  ),
  MAX_PENDING_COMMANDS: setting(
    int(1, 100_000),
    "256",
    "Commands of one connection waiting for their turn",
  ),
  MAX_PENDING_WRITES: setting(
    int(1, 1_000_000),
    "10000",
    "Durable changes waiting for the database; past it they are refused with retryAfter",
  ),
  MAX_REPLAY_EVENTS: setting(
    int(1, 10_000),
    "500",
    "Missed events replayed on recovery; past it a snapshot is sent",
  ),
  MAX_CHANGES: setting(
    int(1000, 100_000_000),
    "100000",
    "Changes of tables kept for clients that were away",
  ),
  CHANGE_RETENTION_MS: setting(
    int(1000, 2_592_000_000),
    "3600000",
    "Time for which they are kept (1 hour), and a table goes on being recorded without a follower, " +
      "unless there are more than MAX_CHANGES",
  ),
  WAITING_ALERT_MS: setting(
    int(0, 604_800_000),
    "300000",
    "Time that a contact waits for an answer before agents are notified; 0: never",
  ),
  ABSENT_AFTER_MS: setting(
    int(0, 604_800_000),
    "300000",
    "Time for which an assignee is away or offline before their messages are told to all; 0: never",
  ),
  NOTIFICATION_RETENTION_MS: setting(
    int(60_000, 31_536_000_000),
    "2592000000",
    "Time for which agents' notifications are kept (30 days)",
  ),
  AUDIT_RETENTION_MS: setting(
    int(3_600_000, 315_360_000_000),
    "31536000000",
    "Time for which the audit log is kept (a year)",
  ),
  MAX_DOCUMENT_BYTES: setting(
    int(1024, 16_777_216),
    "1048576",
    "Largest text of a shared document, in UTF-8",
  ),
  MAX_EDIT_BYTES: setting(
    int(1, 16_777_216),
    "65536",
    "What one edit of a shared document may insert, in UTF-8; the message around it has MAX_MESSAGE_BYTES",
  ),
  MAX_DOCUMENT_OPERATIONS: setting(
    int(100, 1_000_000),
    "1000",
    "Edits kept of each shared document; who has missed more gets the whole text",
  ),
  MAX_RECOVERABLE: setting(
    int(0, 1_000_000),
    "10000",
    "Cut Socket.IO connections that can be recovered at a time; past it the oldest cannot",
  ),
  RECOVERY_MS: setting(
    int(0, 3_600_000),
    "120000",
    "Time for which a Socket.IO connection that was cut can be recovered",
  ),
  BODY_TIMEOUT_MS: setting(
    int(100, 600_000),
    "20000",
    "Time in which the body of a request has to arrive; past it the answer is 408",
  ),
  AUTH_TIMEOUT_MS: setting(int(100, 600_000), "10000", "Time to authenticate a connection"),
  HEARTBEAT_MS: setting(
    int(1000, 600_000),
    "25000",
    "Silence after which a peer is pinged; after twice as much it is gone",
  ),
  TYPING_MS: setting(int(100, 60_000), "3000", "Time after which typing ends by itself"),
  PRESENCE_GRACE_MS: setting(
    int(0, 600_000),
    "5000",
    "Time before a user without a connection counts as gone",
  ),
  TOKEN_GRACE_MS: setting(
    int(0, 600_000),
    "25000",
    "Time to refresh an expired token before its connection is closed",
  ),
  ACCESS_TOKEN_MS: setting(int(1000, 86_400_000), "900000", "Life of an access token"),
  REFRESH_TOKEN_MS: setting(
    int(60_000, 31_536_000_000),
    "2592000000",
    "Life of a sign-in that is not used (30 days)",
  ),
  MAX_SIGN_IN_MS: setting(
    int(60_000, 31_536_000_000),
    "7776000000",
    "Life of a sign-in, however much it is used (90 days)",
  ),
  MAX_SIGN_INS_PER_USER: setting(
    int(1, 100_000),
    "500",
    "Sign-ins of one user that go on; the one that was not used for longest is ended for a new one",
  ),
  SESSION_MS: setting(
    int(60_000, 31_536_000_000),
    "7776000000",
    "Life of a visitor's session that is not used (90 days)",
  ),
  METRIC_MINUTES_DAYS: setting(
    int(2, 366),
    "3",
    "Days for which figures are kept by the minute",
  ),
  METRIC_HOURS_DAYS: setting(
    int(31, 3660),
    "400",
    "Days for which figures are kept by the hour and its quarters, and which conversations they are of",
  ),
  METRIC_DAYS_DAYS: setting(
    int(366, 36_600),
    "1830",
    "Days for which figures are kept by day of UTC",
  ),
  DRAIN_MS: setting(
    int(0, 3_500),
    "3000",
    "Time over which clients are sent away, each at its own moment, before the process ends",
  ),
} as const;

export type SettingName = keyof typeof SETTINGS;
export type Settings =
  & { [K in SettingName]: z.output<(typeof SETTINGS)[K]["schema"]> }
  & {
    /** The settings that were given, not defaulted. */
    given: ReadonlySet<SettingName>;
    /** This is an instance on Deno Deploy: others may run beside it, and no file outlives it. */
    onDeploy: boolean;
  };

/** A setting that stops the start; its message is one line. */
export class SettingsError extends Error {
  override name = "SettingsError";
}

/** How many single-letter edits lead from a to b, at most `max` + 1. */
function distance(a: string, b: string, max: number): number {
  if (Math.abs(a.length - b.length) > max) return max + 1;
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + same));
    }
    previous = row;
  }
  return previous[b.length]!;
}

const OWN_PREFIXES = ["LIMIT_"];

/** Names that were meant as a setting but are none: LIMIT_*, and near misses of long names. */
function suspicious(name: string): SettingName | "unknown" | null {
  const names = Object.keys(SETTINGS) as SettingName[];
  if (names.includes(name as SettingName)) return null;
  const near = names.filter((known) => known.length >= 8)
    .find((known) => distance(name.toUpperCase(), known, 2) <= 2);
  if (near !== undefined) return near;
  return OWN_PREFIXES.some((prefix) => name.startsWith(prefix)) ? "unknown" : null;
}

/**
 * Reads all settings from an environment.
 *
 * @throws {SettingsError} with one line that names the setting, its value and what is allowed.
 */
export function readSettings(env: Record<string, string | undefined>): Settings {
  for (const name of Object.keys(env)) {
    const meant = suspicious(name);
    if (meant === null) continue;
    const hint = meant === "unknown" ? "there is no such setting" : `did you mean ${meant}?`;
    throw new SettingsError(`Cannot start: setting ${name} is not known: ${hint}`);
  }
  const given = new Set<SettingName>();
  const values: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    const { as, raw } = givenAs(env, name);
    if (raw !== undefined && raw !== "") given.add(name);
    const value = raw === undefined || raw === "" ? entry.default : raw;
    if (value === undefined) {
      values[name] = undefined;
      continue;
    }
    if (value === "" && entry.default === "") {
      values[name] = [];
      continue;
    }
    const result = entry.schema.safeParse(value);
    if (!result.success) {
      const shown = entry.secret === true ? "(secret)" : JSON.stringify(value);
      const allowed = result.error.issues[0]!.message;
      throw new SettingsError(`Cannot start: setting ${as} is ${shown}: it ${allowed}`);
    }
    values[name] = result.data;
  }
  if ((values.ADMIN_EMAIL === undefined) !== (values.ADMIN_PASSWORD === undefined)) {
    const missing = values.ADMIN_EMAIL === undefined ? "ADMIN_EMAIL" : "ADMIN_PASSWORD";
    throw new SettingsError(
      `Cannot start: setting ${missing} is not set: ADMIN_EMAIL and ADMIN_PASSWORD go together`,
    );
  }
  if (values.BROKER === "redis" && values.REDIS_URL === undefined) {
    throw new SettingsError('Cannot start: setting REDIS_URL is not set: BROKER is "redis"');
  }
  if (values.JWT_JWKS_URL !== undefined && values.JWT_PUBLIC_KEY !== undefined) {
    throw new SettingsError(
      "Cannot start: settings JWT_JWKS_URL and JWT_PUBLIC_KEY are both set: one of them is enough",
    );
  }
  const onDeploy = isOnDeploy(env);
  if (onDeploy) refuseFiles(given);
  return Object.assign(values, { given, onDeploy }) as unknown as Settings;
}

/** Other names of settings, by which documents of clients that Parley serves know them. */
const ALIASES: Partial<Record<SettingName, string>> = { FRONTEND_URL: "WEBSOCKET_CORS_ORIGIN" };

/** What a setting is, and under which of its names that stands in the environment. */
function givenAs(
  env: Record<string, string | undefined>,
  name: SettingName,
): { as: string; raw: string | undefined } {
  const alias = ALIASES[name];
  const own = env[name]?.trim();
  const other = alias === undefined ? "" : env[alias]?.trim() ?? "";
  if (alias === undefined || other === "") return { as: name, raw: own };
  if (own === undefined || own === "") return { as: alias, raw: other };
  const same = (value: string) => value.split(",").map((entry) => entry.trim()).sort().join();
  if (same(own) !== same(other)) {
    throw new SettingsError(
      `Cannot start: settings ${name} and ${alias} are both set, to "${own}" and "${other}": ` +
        "they mean the same, so one of them is enough",
    );
  }
  return { as: name, raw: own };
}

/** Deno Deploy sets it in every instance. */
const isOnDeploy = ({ DENO_DEPLOY }: Record<string, string | undefined>) =>
  DENO_DEPLOY !== undefined && !["", "0", "false"].includes(DENO_DEPLOY);

/** What would be kept in DATA_DIR, where the folder vanishes and each instance has its own. */
function refuseFiles(given: ReadonlySet<SettingName>): void {
  if (!given.has("DATABASE_URL")) {
    throw new SettingsError(
      "Cannot start on Deno Deploy: setting DATABASE_URL is not set: files do not outlive an " +
        "instance, so conversations need a Postgres database (assign one to the app)",
    );
  }
  if (!given.has("JWT_SECRET")) {
    throw new SettingsError(
      "Cannot start on Deno Deploy: setting JWT_SECRET is not set: files do not outlive an " +
        "instance, so the key of sign-ins has to be a secret of the app, of at least 32 characters",
    );
  }
}

/** Limits and times among the settings, by their names. */
const IS_LIMIT = /^(?:LIMIT|MAX)_|^(?!DATABASE_).*_MS$/;

/** What limits clients on this server, in the order of the documentation. */
export function limitsOf(settings: Settings) {
  return (Object.keys(SETTINGS) as SettingName[]).flatMap((name) => {
    const value = settings[name];
    if (!IS_LIMIT.test(name) || typeof value !== "number") return [];
    return [{ name, about: SETTINGS[name].about, value, isDefault: !settings.given.has(name) }];
  });
}
