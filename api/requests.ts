/** Counts requests and how long they take, by the pattern of their route. */
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { Metrics } from "../domain/metrics.ts";
import { type Tracing, tracing } from "../domain/tracing.ts";
import type { Api } from "./context.ts";

export interface Requests {
  /** Answers by `answer` and counts it; `routeOf` names what the API has no route for. */
  measure(
    request: Request,
    routeOf: (request: Request) => string,
    answer: () => Promise<Response>,
  ): Promise<Response>;
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Patterns of the API's routes, for as long as their requests are there. */
const routes = new WeakMap<Request, string>();

export function createRequests({ requests }: Pick<Metrics, "requests">): Requests {
  return {
    async measure(request, routeOf, answer) {
      const begin = performance.now();
      const response =
        await (tracing === null ? answer() : traced(tracing, request, routeOf, answer));
      requests.observe({
        method: methodOf(request),
        route: routes.get(request) ?? routeOf(request),
        status: `${Math.floor(response.status / 100)}xx`,
      }, (performance.now() - begin) / 1000);
      return response;
    },
  };
}

/** Anybody can make one up. */
function methodOf({ method }: Request): string {
  return METHODS.has(method) ? method : "other";
}

/** Without the address: it has ids, and its query may have tokens. */
async function traced(
  to: Tracing,
  request: Request,
  routeOf: (request: Request) => string,
  answer: () => Promise<Response>,
): Promise<Response> {
  return await to.run("request", { "http.request.method": methodOf(request) }, async (span) => {
    const response = await answer();
    span.setAttribute("http.route", routes.get(request) ?? routeOf(request));
    span.setAttribute("http.response.status_code", response.status);
    if (response.status >= 500) {
      span.setAttribute("error.type", String(response.status));
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    return response;
  }, SpanKind.SERVER);
}

/** Notes which route a request takes. An address that is none's has no name of its own. */
export function noteRoutes(app: Api): void {
  app.use(async (c, next) => {
    const pattern = c.req.matchedRoutes.findLast(({ path }) => !path.endsWith("*"))?.path;
    routes.set(c.req.raw, pattern ?? "unmatched");
    await next();
  });
}
