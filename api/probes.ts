/**
 * What balancers, supervisors and people ask a process about itself. No answer waits for longer than
 * its deadline, whatever the part that is asked does.
 */
import { problemResponse } from "./problem.ts";

/** Milliseconds that each part has to answer. */
const DEADLINE_MS = 1000;
/** After so many milliseconds without an answer it is asked again. */
const LOST_MS = 10_000;

export interface ProbeOptions {
  /** Resolves with null when the database answers, or with why it does not, in words. */
  database: () => Promise<string | null>;
  /** What is amiss and does not keep traffic away, such as Redis or a disk: sentences. */
  troubles: () => string[];
  draining: () => boolean;
  /** What /health says besides. */
  services: () => Record<string, unknown>;
  websocket: () => Record<string, unknown>;
  deadlineMs?: number;
}

export interface Probes {
  /** The answer to a request for a probe; null: it is none. */
  answer(path: string): Promise<Response> | null;
}

export const LIVE = "/live";
export const READY = "/ready";
export const HEALTH = "/health";
export const isProbe = (path: string) => path === LIVE || path === READY || path === HEALTH;

/** Answered by the event loop alone: it turns. */
export function live(): Response {
  return json({ live: true }, 200);
}

export function createProbes(options: ProbeOptions): Probes {
  const { troubles, draining, deadlineMs = DEADLINE_MS } = options;
  let asking: Promise<string | null> | null = null;
  let askedAt = 0;

  /** One question at a time, however many ask, so that probes take no more than one connection. */
  function askDatabase(): Promise<string | null> {
    if (asking !== null && performance.now() - askedAt < LOST_MS) return asking;
    askedAt = performance.now();
    const mine = options.database().finally(() => {
      if (asking === mine) asking = null;
    });
    return asking = mine;
  }

  async function databaseTrouble(): Promise<string | null> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`it did not answer within ${deadlineMs} ms`), deadlineMs);
    });
    const why = await Promise.race([askDatabase(), late]);
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
    answer(path) {
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

/** Milliseconds after which a client may ask again. */
const RETRY_AFTER_MS = 2000;

/** What every request is answered until there is a server behind the port. */
export function answerWhileStarting(request: Request, path: string, starting: Starting): Response {
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

/** A page that asks again by itself; no script, and nothing to load. */
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
