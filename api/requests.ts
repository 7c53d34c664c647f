/** Counts requests and how long they take, by the pattern of their route. */
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { Metrics } from "../domain/metrics.ts";
import { type Tracing, tracing } from "../domain/tracing.ts";
import type { Api } from "./env.ts";

export interface Requests {
  /** Measures `handle`; `routeOf` names the route of a request that is not the API's. */
  measure(
    request: Request,
    routeOf: (request: Request) => string,
    handle: () => Promise<Response>,
  ): Promise<Response>;
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Pattern of the API's route for each request in flight. */
const routes = new WeakMap<Request, string>();

export function createRequests({ requests }: Pick<Metrics, "requests">): Requests {
  return {
    async measure(request, routeOf, handle) {
      const begin = performance.now();
      const response =
        await (tracing === null ? handle() : traced(tracing, request, routeOf, handle));
      requests.observe({
        method: methodOf(request),
        route: routes.get(request) ?? routeOf(request),
        status: `${Math.floor(response.status / 100)}xx`,
      }, (performance.now() - begin) / 1000);
      return response;
    },
  };
}

/** Clients can invent methods, and labels must be bounded. */
function methodOf({ method }: Request): string {
  return METHODS.has(method) ? method : "other";
}

/** Without the URL: it has ids, and its query may have tokens. */
async function traced(
  to: Tracing,
  request: Request,
  routeOf: (request: Request) => string,
  handle: () => Promise<Response>,
): Promise<Response> {
  return await to.run("request", { "http.request.method": methodOf(request) }, async (span) => {
    const response = await handle();
    span.setAttribute("http.route", routes.get(request) ?? routeOf(request));
    span.setAttribute("http.response.status_code", response.status);
    if (response.status >= 500) {
      span.setAttribute("error.type", String(response.status));
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    return response;
  }, SpanKind.SERVER);
}

/** Remembers the route of each request, "unmatched" where there is none. */
export function noteRoutes(app: Api): void {
  app.use(async (c, next) => {
    const pattern = c.req.matchedRoutes.findLast(({ path }) => !path.endsWith("*"))?.path;
    routes.set(c.req.raw, pattern ?? "unmatched");
    await next();
  });
}
