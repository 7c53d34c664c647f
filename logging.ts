import { configure, getConsoleSink, getJsonLinesFormatter, getLogger } from "@logtape/logtape";

const logger = getLogger("parley");

/** JSON lines on standard output and error, one object an entry. */
export async function configureLogging(
  level: "debug" | "info" | "warning" | "error",
): Promise<void> {
  await configure({
    sinks: { console: getConsoleSink({ formatter: getJsonLinesFormatter() }) },
    loggers: [
      { category: "parley", lowestLevel: level, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["console"] },
    ],
  });
}

/** An error that nobody expected: logged with what it is about, never with what users wrote. */
export function reportError(error: unknown, context: Record<string, unknown> = {}): void {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  logger.error("Unexpected error: {message}", {
    ...context,
    message: cause instanceof Error ? cause.message : String(cause),
    stack: cause instanceof Error ? cause.stack : undefined,
  });
}
