/** Counts requests and how long they take, by the pattern of their route. */
import type { Metrics } from "../domain/metrics.ts";
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
      const response = await answer();
      requests.observe({
        // Anybody can make one up.
        method: METHODS.has(request.method) ? request.method : "other",
        route: routes.get(request) ?? routeOf(request),
        status: `${Math.floor(response.status / 100)}xx`,
      }, (performance.now() - begin) / 1000);
      return response;
    },
  };
}

/** Notes which route a request takes. An address that is none's has no name of its own. */
export function noteRoutes(app: Api): void {
  app.use(async (c, next) => {
    const pattern = c.req.matchedRoutes.findLast(({ path }) => !path.endsWith("*"))?.path;
    routes.set(c.req.raw, pattern ?? "unmatched");
    await next();
  });
}
