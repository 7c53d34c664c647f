/**
 * Probes of a process for balancers, supervisors and people. No response waits for longer than its
 * deadline, whatever the part that is checked does.
 */
import { problemResponse } from "./problem.ts";

/** Milliseconds for each check. */
const DEADLINE_MS = 1000;
/** Milliseconds after which a check without a result is repeated. */
const LOST_MS = 10_000;

export interface ProbeOptions {
  /** Checks the database; resolves with null, or with a sentence that says what is wrong. */
  database: () => Promise<string | null>;
  /** Problems for which the node still accepts traffic, such as Redis or a disk, as sentences. */
  troubles: () => string[];
  draining: () => boolean;
  /** More fields of /health. */
  services: () => Record<string, unknown>;
  websocket: () => Record<string, unknown>;
  deadlineMs?: number;
}

export interface Probes {
  /** The response to a probe; null: the path is no probe. */
  respond(path: string): Promise<Response> | null;
}

export const LIVE = "/live";
export const READY = "/ready";
export const HEALTH = "/health";
export const isProbe = (path: string) => path === LIVE || path === READY || path === HEALTH;

/** Needs nothing but the event loop. */
export function live(): Response {
  return json({ live: true }, 200);
}

export function createProbes(options: ProbeOptions): Probes {
  const { troubles, draining, deadlineMs = DEADLINE_MS } = options;
  let checking: Promise<string | null> | null = null;
  let checkedAt = 0;

  /** One check at a time, however many probes there are, so that they take one connection. */
  function checkDatabase(): Promise<string | null> {
    if (checking !== null && performance.now() - checkedAt < LOST_MS) return checking;
    checkedAt = performance.now();
    const mine = options.database().finally(() => {
      if (checking === mine) checking = null;
    });
    return checking = mine;
  }

  async function databaseTrouble(): Promise<string | null> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`it did not answer within ${deadlineMs} ms`), deadlineMs);
    });
    const why = await Promise.race([checkDatabase(), late]);
    clearTimeout(timer);
    return why === null ? null : `The database does not answer: ${why}`;
  }

  async function ready(): Promise<Response> {
    if (draining()) return json({ ready: false, missing: ["The server is stopping"] }, 503);
    const why = await databaseTrouble();
    const missing = [...(why === null ? [] : [why]), ...troubles()];
    return json(
      { ready: why === null, ...(missing.length === 0 ? {} : { missing }) },
      why === null ? 200 : 503,
    );
  }

  async function health(): Promise<Response> {
    const why = await databaseTrouble();
    const stopping = draining() ? ["The server is stopping"] : [];
    const missing = [...(why === null ? [] : [why]), ...troubles()];
    return json({
      status: missing.length === 0 ? "ok" : "degraded",
      timestamp: new Date().toISOString(),
      services: {
        database: why === null ? "connected" : "disconnected",
        ...options.services(),
      },
      websocket: options.websocket(),
      missing: [...missing, ...stopping],
      // A node without Redis or with a full disk still serves its own people.
    }, why === null ? 200 : 503);
  }

  return {
    respond(path) {
      if (path === LIVE) return Promise.resolve(live());
      if (path === READY) return ready();
      return path === HEALTH ? health() : null;
    },
  };
}

function json(body: unknown, status: number): Response {
  return Response.json(body, {
    status,
    headers: {
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...(status === 503 ? { "retry-after": "1" } : {}),
    },
  });
}

export interface Starting {
  /** Sentences that say what is missing, for anybody to read. */
  missing(): string[];
}

/** Milliseconds after which a client may try again. */
const RETRY_AFTER_MS = 2000;

/** The response to every request until the server has started. */
export function respondWhileStarting(request: Request, path: string, starting: Starting): Response {
  const missing = starting.missing();
  if (path === LIVE) return live();
  if (path === READY) return json({ ready: false, missing }, 503);
  if (path === HEALTH) {
    return json({
      status: "starting",
      timestamp: new Date().toISOString(),
      services: {
        database: "disconnected",
        redis: "not asked yet",
        websocket: { status: "starting", connections: 0, authenticatedUsers: 0 },
      },
      websocket: { connections: 0, status: "starting" },
      missing,
    }, 503);
  }
  const isPage = request.method === "GET" && !request.headers.has("upgrade") &&
    (request.headers.get("accept") ?? "").includes("text/html");
  if (isPage && !path.startsWith("/api/")) return startingPage();
  return problemResponse({
    code: "unavailable",
    detail: "Cannot answer yet: the server is starting",
    retryAfter: RETRY_AFTER_MS,
  });
}

/** A page that reloads itself, without a script or anything to load. */
function startingPage(): Response {
  const seconds = RETRY_AFTER_MS / 1000;
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${seconds}">
<title>Starting…</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-content: center; padding: 1.5rem;
  font: 1rem/1.5 system-ui, sans-serif; text-align: center; box-sizing: border-box; }
h1 { font-size: 1.25rem; margin: 0 0 .5rem; }
p { margin: 0; max-width: 26rem; }
</style>
</head>
<body>
<main role="status">
<h1>Parley is starting</h1>
<p>This page loads by itself as soon as it is ready. If it takes long, ask whoever runs this server
to look at its log.</p>
</main>
</body>
</html>
`;
  return new Response(page, {
    status: 503,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
      "retry-after": String(seconds),
    },
  });
}
