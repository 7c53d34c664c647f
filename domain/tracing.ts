/**
 * Parley's own spans for OpenTelemetry. The runtime exports them where OTEL_DENO is set.
 *
 * They are made by the runtime's provider and not by the one that `@opentelemetry/api` finds: that one
 * exists only together with the runtime's HTTP spans, which export URLs with their query.
 * OTEL_DENO_TRACING=false turns those off and leaves these on.
 *
 * Spans have kinds, sizes and codes; never a text, a name, an address, a query or an id.
 */
import {
  type Attributes,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
} from "@opentelemetry/api";
import { toParleyError } from "../protocol/errors.ts";

export interface Tracing {
  /** Does the work within a span. The status of a failure is its code alone. */
  run<T>(
    name: string,
    attributes: Attributes,
    work: (span: Span) => Promise<T> | T,
    kind?: SpanKind,
  ): Promise<T>;
  /** Adds a span that has ended. */
  past(name: string, attributes: Attributes, ms: number): void;
}

/** null unless spans are exported, so that a hot path checks this and does nothing else. */
export const tracing: Tracing | null = open(Deno.env.get("OTEL_DENO"));

/**
 * A warning for the operator at the start; null: none.
 *
 * @param env the environment as the runtime read it
 */
export function tracingWarning(env: Record<string, string | undefined>): string | null {
  const isOn = isTrue(env["OTEL_DENO"]) && !isFalse(env["OTEL_DENO_TRACING"]);
  return isOn
    ? "The runtime's own HTTP spans are exported, with the query of each address, which may hold " +
      "tokens: set OTEL_DENO_TRACING=false; Parley's own spans stay"
    : null;
}

function isTrue(value: string | undefined): boolean {
  return value === "true" || value === "1";
}

function isFalse(value: string | undefined): boolean {
  return value === "false" || value === "0";
}

function open(setting: string | undefined): Tracing | null {
  if (!isTrue(setting)) return null;
  const tracer = Deno.telemetry.tracerProvider.getTracer("parley") as Tracer;
  try {
    // Throws where the runtime exports nothing. A span that never ends is not exported.
    tracer.startSpan("start");
  } catch {
    return null;
  }
  return createTracing(tracer);
}

export function createTracing(tracer: Tracer): Tracing {
  return {
    run: (name, attributes, work, kind = SpanKind.INTERNAL) =>
      tracer.startActiveSpan(name, { kind, attributes }, async (span) => {
        try {
          return await work(span);
        } catch (error) {
          failed(span, error);
          throw error;
        } finally {
          span.end();
        }
      }),
    past(name, attributes, ms) {
      const end = Date.now();
      tracer.startSpan(name, { attributes, startTime: end - ms }).end(end);
    },
  };
}

function failed(span: Span, error: unknown): void {
  const { code } = toParleyError(error);
  span.setAttribute("error.type", code);
  // A message may quote what somebody sent.
  span.setStatus({ code: SpanStatusCode.ERROR, message: code });
}
