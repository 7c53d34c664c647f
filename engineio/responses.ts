/** The engine's HTTP responses. Codes and messages are engine.io's. */

const ERRORS = {
  unknownTransport: [400, 0, "Transport unknown"],
  unknownSession: [400, 1, "Session ID unknown"],
  badHandshakeMethod: [400, 2, "Bad handshake method"],
  badRequest: [400, 3, "Bad request"],
  notFound: [404, 3, "Not found"],
  unsupportedVersion: [400, 5, "Unsupported protocol version"],
  tooLarge: [413, 3, "Payload too large"],
  full: [503, 4, "Too many sessions"],
  closed: [503, 4, "Server is closed"],
  internal: [500, 3, "Internal error"],
} as const;

export type EngineErrorName = keyof typeof ERRORS;

export function errorResponse(name: EngineErrorName): Response {
  const [status, code, message] = ERRORS[name];
  return new Response(JSON.stringify({ code, message }), {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      ...(status === 503 ? { "retry-after": "1" } : {}),
    },
  });
}

export function textResponse(body: string): Response {
  return new Response(body, {
    headers: { "content-type": "text/plain; charset=UTF-8", "cache-control": "no-store" },
  });
}

/** How long a browser may cache a preflight, in seconds. */
const PREFLIGHT_SECONDS = 600;

/** Characters of the longest list of request headers that a preflight may allow. */
const MAX_REQUEST_HEADERS = 1024;

/** Lets pages of this origin read the response, with credentials. Changes its headers. */
export function allowReading(response: Response, origin: string): Response {
  response.headers.set("access-control-allow-origin", origin);
  response.headers.set("access-control-allow-credentials", "true");
  response.headers.append("vary", "Origin");
  return response;
}

export function preflightResponse(request: Request): Response {
  const requested = request.headers.get("access-control-request-headers") ?? "";
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, POST",
      ...(requested !== "" && requested.length <= MAX_REQUEST_HEADERS
        ? { "access-control-allow-headers": requested }
        : {}),
      "access-control-max-age": String(PREFLIGHT_SECONDS),
    },
  });
}
