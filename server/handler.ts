/** Which part answers a request: a probe, a socket, the API or the site. */
import type { Api } from "../api/env.ts";
import { compressed } from "../api/compression.ts";
import { createInFlightRequests } from "../api/in_flight.ts";
import { pathOf } from "../api/path.ts";
import { isProbe, type Probes } from "../api/probes.ts";
import { problemResponse } from "../api/problem.ts";
import { createRequests } from "../api/requests.ts";
import { isTrustworthy, withSecurityHeaders } from "../api/security_headers.ts";
import type { Site } from "../api/site.ts";
import { serveSocketIoClient } from "../api/socket_io_client.ts";
import { isUnavailable } from "../db/database_error.ts";
import type { Realtime } from "../realtime/types.ts";
import type { Access } from "./access.ts";
import type { Core } from "./core.ts";

export interface Handler {
  /** Answers every request; `remote` is the address of the direct peer. */
  handle(request: Request, remote: string): Promise<Response>;
  /** Accepts no more requests of the API and the site, and waits for those that are open. */
  close(): Promise<void>;
}

export function createHandler(
  { metrics, onError }: Core,
  { peer }: Access,
  parts: { probes: Probes; realtime: Realtime; api: Api; site: Site | null },
): Handler {
  const { probes, realtime, api, site } = parts;
  const inFlight = createInFlightRequests();
  const requests = createRequests(metrics);

  /** The label of a request in metrics, where the API has no route for it. */
  function routeOf(request: Request): string {
    const path = new URL(request.url).pathname;
    if (isProbe(path)) return path;
    if (!realtime.serves(path)) return "site";
    return path.startsWith("/socket.io") ? "/socket.io/" : path;
  }

  /** The origin under which the browser reached this server; "" for an address that cannot be read. */
  function ownOrigin(request: Request, remote: string): string {
    try {
      return peer(request, remote).selfOrigin;
    } catch {
      return "";
    }
  }

  async function route(path: string, request: Request, remote: string): Promise<Response> {
    const probe = probes.respond(path);
    if (probe !== null) return await probe;
    const client = await serveSocketIoClient(request);
    if (client !== null) return client;
    if (realtime.serves(path)) return await realtime.upgrade(request, remote);
    if (isApi(path) || site === null) {
      return await inFlight.run(async () =>
        await compressed(request, await api.fetch(request, { remote }))
      );
    }
    return await inFlight.run(async () => await compressed(request, await site(request)));
  }

  async function answer(path: string, request: Request, remote: string): Promise<Response> {
    try {
      return await route(path, request, remote);
    } catch (error) {
      onError(error, { path });
      if (isUnavailable(error)) {
        const { code, message: detail, retryAfter = 1000 } = error;
        return problemResponse({ code, detail, retryAfter });
      }
      return problemResponse({ code: "internal", detail: "Cannot answer: internal error" });
    }
  }

  return {
    async handle(request, remote) {
      const path = pathOf(request);
      if (path instanceof Response) return withSecurityHeaders(path, false);
      return await requests.measure(request, routeOf, async () => {
        const response = await answer(path, request, remote);
        const own = ownOrigin(request, remote);
        return withSecurityHeaders(response, own.startsWith("https:"), isTrustworthy(own));
      });
    },
    close: () => inFlight.close(),
  };
}

function isApi(path: string): boolean {
  return path === "/metrics" || path === "/api" || path.startsWith("/api/") ||
    path.startsWith("/files/");
}
