/** Log lines, as JSON or text, without credentials; and the lines that several parts write. */
import {
  configure,
  getConsoleSink,
  getJsonLinesFormatter,
  getLogger,
  type LogRecord,
} from "@logtape/logtape";

const logger = getLogger("parley");

/**
 * What looks like a credential and could be part of an error that another program made: an address,
 * a header, a message of the database.
 */
const CREDENTIALS: [RegExp, string][] = [
  [/\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, "[token]"],
  [/\b(Bearer|Basic)\s+[^\s"\\]+/gi, "$1 [redacted]"],
  [/(:\/\/[^:/@\s"]*):[^@\s"/]+@/g, "$1:[redacted]@"],
  [
    /((?:token|session_?id|password|secret|authorization|cookie|api_?key)(?:\\?["'])?\s*[=:]\s*(?:\\?["'])?)[^"'&\s,;}\\]+/gi,
    "$1[redacted]",
  ],
  // 256 bits in base64url: sessions, refresh tokens and keys that this server makes.
  [/(?<![\w-])[\w-]{43}(?![\w-])/g, "[secret]"],
];

/** A line of the log without credentials. */
export function redact(line: string): string {
  return CREDENTIALS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), line);
}

/** The category of the start line, which is logged at every level. */
const START = ["parley", "start"];
const startLogger = getLogger(START);

/** Characters that begin another line, or control a terminal. */
// deno-lint-ignore no-control-regex -- these are what is searched for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Parts of a line come from strangers: control characters are written as in JSON. */
function escapeControl(text: string): string {
  return text.replace(CONTROL, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** One line for a person: time, level, the sentence, and what it is about. */
export function textLine(record: LogRecord): string {
  const message = record.message.map((part) => typeof part === "string" ? part : show(part))
    .join("");
  if (record.category.join() === START.join()) return message;
  const used = record.message.filter((_, i) => i % 2 === 1);
  const about = Object.entries(record.properties)
    .filter(([name, value]) => value !== undefined && name !== "stack" && !used.includes(value))
    .map(([name, value]) => ` ${name}=${show(value)}`).join("");
  const stack = typeof record.properties["stack"] === "string"
    ? record.properties["stack"].split("\n").map((line) => `\n    ${escapeControl(line)}`).join("")
    : "";
  const time = new Date(record.timestamp).toISOString();
  const level = record.level.toUpperCase().padEnd(7);
  return `${time} ${level} ${escapeControl(message + about)}${stack}`;
}

function show(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export type LogFormat = "json" | "text";

const formatterOf = (format: LogFormat) => {
  const line = format === "json" ? getJsonLinesFormatter({ properties: "flatten" }) : textLine;
  return (record: LogRecord) => redact(line(record));
};

/** A line for the watchdog, which cannot use the logger; its time is the beginning of the epoch. */
export function fatalLine(
  sentence: string,
  properties: Record<string, unknown>,
  format: LogFormat,
): string {
  return formatterOf(format)({
    category: ["parley"],
    level: "fatal",
    message: [sentence],
    rawMessage: sentence,
    timestamp: 0,
    properties,
  }).trimEnd();
}

/**
 * JSON lines on standard output and error, one object an entry, or lines of text; credentials are
 * taken out of both.
 */
export async function configureLogging(
  level: "debug" | "info" | "warning" | "error",
  format: LogFormat = "json",
): Promise<void> {
  const formatter = formatterOf(format);
  await configure({
    sinks: { console: getConsoleSink({ formatter }) },
    loggers: [
      { category: "parley", lowestLevel: level, sinks: ["console"] },
      { category: START, lowestLevel: "info", sinks: ["console"], parentSinks: "override" },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["console"] },
    ],
  });
}

/** A finished sentence: the logger must not take its braces for placeholders. */
export function plain(sentence: string): string {
  return sentence.replaceAll("{", "{{").replaceAll("}", "}}");
}

export interface Ready {
  url: string;
  host: string;
  port: number;
  engine: string;
  broker: string;
  node: string;
}

/** The one line that tools and people wait for. */
export function logReady(ready: Ready): void {
  const { url, engine, broker, node } = ready;
  startLogger.info(
    plain(`Parley is ready at ${url} (${engine}, broker ${broker}, node ${node})`),
    { ...ready },
  );
}

/** While there is no user: the code that lets the first one be made from another machine. */
export function logSetupCode(code: string): void {
  startLogger.info(plain(`From another machine, /setup asks for this code: ${code}`), {});
}

/**
 * Migrations were run. For a new database their names say nothing, but its place does.
 *
 * @param database its settings
 */
export function logMigrated(
  names: readonly string[],
  { url, dataDir }: { url?: string | undefined; dataDir: string },
): void {
  const schema = names.at(-1);
  if (!names[0]!.startsWith("001_")) {
    logger.info(plain(`The schema was brought up to date: ${schema}`), { migrated: names });
  } else if (url === undefined) {
    logger.info(plain(`The database was created in "${dataDir}"`), { schema });
  } else {
    logger.info("The tables of the database were created", { schema });
  }
}

/** Logs an unexpected error with its context, never with what users wrote. */
export function reportError(error: unknown, context: Record<string, unknown> = {}): void {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  logger.error("Unexpected error: {reason}", {
    ...context,
    reason: cause instanceof Error ? cause.message : String(cause),
    stack: cause instanceof Error ? cause.stack : undefined,
  });
}

/** Tokens of an outside issuer cannot be checked. Its address may contain a secret, so it is not logged. */
export function logKeysUnreadable(cause: unknown): void {
  logger.warn("The keys at JWT_JWKS_URL cannot be read: {reason}", {
    reason: cause instanceof Error ? cause.message : String(cause),
  });
}

export function logKeysReadable(): void {
  logger.info("The keys at JWT_JWKS_URL can be read again", {});
}
