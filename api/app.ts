import { sql } from "kysely";
import type { Context } from "hono";
import { ParleyError, toParleyError } from "../protocol/errors.ts";
import { parseJson } from "../protocol/json.ts";
import { authRoutes, publicAuthRoutes } from "./auth.ts";
import {
  type Api,
  type ApiServices,
  authenticate,
  createApi,
  type Env,
  readText,
} from "./context.ts";
import { connectionRoutes } from "./connections.ts";
import { conversationRoutes } from "./conversations.ts";
import { visitorRoutes } from "./visitors.ts";
import { workspaceRoutes } from "./workspace.ts";

/** The HTTP API: health, sign-in, and everything under /api. */
export function createHttpApi(services: ApiServices): Api {
  const app = createApi();

  app.onError((error, c) => problemResponse(c, error, services));
  app.notFound((c) =>
    problemResponse(
      c,
      new ParleyError("not_found", `Cannot find "${c.req.path}"`),
      services,
    )
  );

  app.use(async (c, next) => {
    c.set("peer", services.peer(c.req.raw, c.env.remote));
    await next();
    c.header("x-content-type-options", "nosniff");
  });
  healthRoutes(app, services);
  app.use("/api/*", cors(services));
  app.use("/api/*", jsonBodies(services.maxBodyBytes));

  app.route("/", publicAuthRoutes(services));
  app.route("/", visitorRoutes(services));
  app.doc31("/api/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "Parley",
      version: services.version,
      description: "Conversations, over HTTP. Live events come over /realtime, see PROTOCOL.md.",
    },
    security: [{ bearer: [] }],
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An agent's access token or a visitor's session id",
  });

  app.use("/api/*", async (c, next) => {
    c.set("principal", await authenticate(services, c.req.raw, c.get("peer").selfOrigin));
    c.header("cache-control", "no-store");
    await next();
  });
  app.route("/", authRoutes(services));
  app.route("/", connectionRoutes(services));
  app.route("/", conversationRoutes(services));
  app.route("/", workspaceRoutes(services));
  return app;
}

function healthRoutes(app: Api, { db, realtime }: ApiServices): void {
  async function databaseAnswers(): Promise<boolean> {
    try {
      await sql`select 1`.execute(db);
      return true;
    } catch {
      return false;
    }
  }
  app.get("/health", async (c) => {
    const database = await databaseAnswers();
    const { connections, authenticatedUsers, slowClosed, lingering } = realtime.stats();
    return c.json({
      status: database ? "ok" : "degraded",
      timestamp: new Date().toISOString(),
      services: {
        database: database ? "connected" : "disconnected",
        websocket: { status: "active", connections, authenticatedUsers, slowClosed, lingering },
      },
    }, database ? 200 : 503);
  });
  app.get("/ready", async (c) => {
    const ready = !realtime.draining && await databaseAnswers();
    return c.json({ ready }, ready ? 200 : 503);
  });
}

/**
 * Widgets call from other origins. An origin that no widget and no setting allows gets no CORS
 * header, so its pages cannot read answers; cookies are never allowed across origins.
 */
function cors(services: ApiServices) {
  return async (c: Context<Env>, next: () => Promise<void>) => {
    const origin = c.req.header("origin");
    if (origin === undefined) return await next();
    c.header("vary", "Origin", { append: true });
    const { selfOrigin } = c.get("peer");
    if (!await services.originAllowed({ origin, self: selfOrigin })) {
      throw new ParleyError(
        "origin_not_allowed",
        `Cannot answer: "${origin}" is not an allowed origin`,
      );
    }
    c.header("access-control-allow-origin", origin);
    if (c.req.method === "OPTIONS") {
      c.header("access-control-allow-methods", "GET, POST, PATCH, DELETE");
      c.header("access-control-allow-headers", "authorization, content-type");
      c.header("access-control-max-age", "600");
      return c.body(null, 204);
    }
    await next();
  };
}

/** Bodies are read once, within the limit, and handed to the validators as the JSON they are. */
function jsonBodies(maxBytes: number) {
  return async (c: Context<Env>, next: () => Promise<void>) => {
    if (c.req.method === "POST" || c.req.method === "PATCH") {
      const text = await readText(c, maxBytes);
      const type = c.req.header("content-type") ?? "";
      if (text !== "" && !/^application\/json\b/i.test(type)) {
        throw new ParleyError(
          "invalid",
          `Cannot read the body: content type "${type}" is not application/json`,
        );
      }
      if (text !== "" || type !== "") {
        c.req.bodyCache.json = Promise.resolve(parseJson(text)) as never;
      }
    }
    await next();
  };
}

function problemResponse(c: Context<Env>, thrown: unknown, services: ApiServices): Response {
  const error = toParleyError(thrown);
  if (error.code === "internal") {
    services.onError(thrown, { method: c.req.method, path: c.req.path });
  }
  const { code, status, message: detail, fields, retryAfter, limit } = error;
  if (retryAfter !== undefined) c.header("retry-after", String(Math.ceil(retryAfter / 1000)));
  if (status === 401) c.header("www-authenticate", "Bearer");
  c.header("cache-control", "no-store");
  return c.body(
    JSON.stringify({
      type: "about:blank",
      title: code,
      status,
      detail,
      code,
      ...(fields === undefined ? {} : { fields }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(limit === undefined ? {} : { limit }),
    }),
    status as 500,
    { "content-type": "application/problem+json" },
  );
}
