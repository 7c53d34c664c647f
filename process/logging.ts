import {
  configure,
  getConsoleSink,
  getJsonLinesFormatter,
  getLogger,
  type LogRecord,
} from "@logtape/logtape";

const logger = getLogger("parley");

/**
 * What looks like a credential and could come into a line with an error of somebody else's making:
 * an address, a header, a database's own words.
 */
const CREDENTIALS: [RegExp, string][] = [
  [/\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, "[token]"],
  [/\b(Bearer|Basic)\s+[^\s"\\]+/gi, "$1 [redacted]"],
  [/(:\/\/[^:/@\s"]*):[^@\s"/]+@/g, "$1:[redacted]@"],
  [
    /((?:token|session_?id|password|secret|authorization|cookie|api_?key)(?:\\?["'])?\s*[=:]\s*(?:\\?["'])?)[^"'&\s,;}\\]+/gi,
    "$1[redacted]",
  ],
  // 256 bits in base64url: sessions, refresh tokens and keys of this server's own making.
  [/(?<![\w-])[\w-]{43}(?![\w-])/g, "[secret]"],
];

/** A line of the log without anything that opens a door. */
export function redact(line: string): string {
  return CREDENTIALS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), line);
}

/** What says that the server is ready; it is heard whatever the level is. */
const START = ["parley", "start"];
const startLogger = getLogger(START);

/** What would begin another line, or tell a terminal to do something. */
// deno-lint-ignore no-control-regex -- these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Strangers send some of what a line has: it is written as JSON would write it. */
function visible(text: string): string {
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
    ? record.properties["stack"].split("\n").map((line) => `\n    ${visible(line)}`).join("")
    : "";
  const time = new Date(record.timestamp).toISOString();
  const level = record.level.toUpperCase().padEnd(7);
  return `${time} ${level} ${visible(message + about)}${stack}`;
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

/** A line for who cannot log it, of the time at the beginning of the epoch. */
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

/** A finished sentence: its braces are none of the logger's. */
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
export function sayReady(ready: Ready): void {
  const { url, engine, broker, node } = ready;
  startLogger.info(
    plain(`Parley is ready at ${url} (${engine}, broker ${broker}, node ${node})`),
    { ...ready },
  );
}

/** While there is no user: what lets somebody make the first one from another machine. */
export function saySetupCode(code: string): void {
  startLogger.info(plain(`From another machine, /setup asks for this code: ${code}`), {});
}

/** An error that nobody expected: logged with what it is about, never with what users wrote. */
export function reportError(error: unknown, context: Record<string, unknown> = {}): void {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  logger.error("Unexpected error: {reason}", {
    ...context,
    reason: cause instanceof Error ? cause.message : String(cause),
    stack: cause instanceof Error ? cause.stack : undefined,
  });
}

/** Tokens of an outside issuer cannot be checked; its address may have a secret in it. */
export function sayKeysUnreadable(cause: unknown): void {
  logger.warn("The keys at JWT_JWKS_URL cannot be read: {reason}", {
    reason: cause instanceof Error ? cause.message : String(cause),
  });
}

export function sayKeysReadable(): void {
  logger.info("The keys at JWT_JWKS_URL can be read again", {});
}
