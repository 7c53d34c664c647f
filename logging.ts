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

/** JSON lines on standard output and error, one object an entry, credentials taken out. */
export async function configureLogging(
  level: "debug" | "info" | "warning" | "error",
): Promise<void> {
  const format = getJsonLinesFormatter({ properties: "flatten" });
  const formatter = (record: LogRecord) => redact(format(record));
  await configure({
    sinks: { console: getConsoleSink({ formatter }) },
    loggers: [
      { category: "parley", lowestLevel: level, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["console"] },
    ],
  });
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
