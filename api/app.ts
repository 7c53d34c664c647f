import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { originAllowed } from "../domain/visitors/origins.ts";
import { ParleyError, toParleyError } from "../protocol/errors.ts";
import { parseJson } from "../protocol/json.ts";
import { agentPreferenceRoutes } from "./agent_preferences.ts";
import { analyticsRoutes } from "./analytics.ts";
import { auditRoutes } from "./audit.ts";
import { authRoutes, publicAuthRoutes } from "./auth.ts";
import { authenticate } from "./authentication.ts";
import { readText } from "./body.ts";
import { type Api, createApi, type Env } from "./env.ts";
import { responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";
import { apiKeyRoutes } from "./api_keys.ts";
import { CONDITIONAL, conditional } from "./etag.ts";
import { cannedResponseRoutes } from "./canned_responses.ts";
import { channelRoutes } from "./channels.ts";
import { connectionRoutes } from "./connections.ts";
import { contactActionRoutes } from "./contact_actions.ts";
import { contactErasureRoutes } from "./contact_erasure.ts";
import { docsRoutes } from "./docs/routes.ts";
import { contextRuleRoutes } from "./context_rules.ts";
import { contextRoutes } from "./contexts.ts";
import { conversationRoutes } from "./conversations.ts";
import { draftRoutes } from "./drafts.ts";
import { fileContentRoute, fileRoutes, UPLOAD_PATH } from "./files.ts";
import { labelRoutes } from "./labels.ts";
import { metricsRoute } from "./metrics.ts";
import { openRequests } from "./open_requests.ts";
import { notificationRoutes } from "./notifications.ts";
import { queueRoutes } from "./queue.ts";
import { teamRoutes } from "./teams.ts";
import { viewRoutes } from "./views.ts";
import { programRoutes } from "./programs.ts";
import { noteRoutes } from "./requests.ts";
import { scheduledMessageRoutes } from "./scheduled_messages.ts";
import { searchRoutes } from "./search.ts";
import { topicRoutes } from "./topics.ts";
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

  noteRoutes(app);
  app.use(async (c, next) => {
    c.set("peer", services.peer(c.req.raw, c.env.remote));
    await next();
    c.header("x-content-type-options", "nosniff");
  });
  metricsRoute(app, services);
  const bounded = openRequests(services.openRequests);
  app.use("/api/*", bounded);
  app.use("/files/*", bounded);
  app.use("/api/*", cors(services));
  app.use("/api/*", jsonBodies(services.maxBodyBytes, services.bodyTimeoutMs));
  app.use("/api/*", async (c, next) => {
    // Postgres can neither store it nor search for it.
    if (c.req.url.includes("%00")) {
      throw new ParleyError("invalid", "Cannot read the address: it contains the character U+0000");
    }
    await next();
  });

  app.route("/", publicAuthRoutes(services));
  app.route("/", visitorRoutes(services));
  app.route("/", topicRoutes(services));
  fileContentRoute(app, services);
  const description = {
    openapi: "3.1.0",
    info: {
      title: "Parley",
      version: services.version,
      description: "Conversations, over HTTP. Live events come over /realtime, see PROTOCOL.md.",
    },
    security: [{ bearer: [] }],
  };
  docsRoutes(app, () => app.getOpenAPI31Document(description));
  describeProbes(app);
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An agent's access token, a visitor's session id or a program's API key",
  });

  app.use("/api/*", async (c, next) => {
    const { selfOrigin } = c.get("peer");
    // They write over sockets, and upload what they send there.
    const participants = c.req.path === UPLOAD_PATH || c.req.path.startsWith(`${UPLOAD_PATH}/`);
    c.set("principal", await authenticate(services, c.req.raw, selfOrigin, { participants }));
    c.header("cache-control", "no-store");
    await next();
  });
  for (const path of CONDITIONAL) app.use(path, conditional("private, no-cache"));
  // The inbox names the list that its page was rendered with. Browsers do not keep it.
  app.use("/api/conversations", conditional());
  app.route("/", authRoutes(services));
  app.route("/", apiKeyRoutes(services));
  app.route("/", auditRoutes(services));
  app.route("/", cannedResponseRoutes(services));
  app.route("/", channelRoutes(services));
  app.route("/", connectionRoutes(services));
  app.route("/", contactErasureRoutes(services));
  app.route("/", contactActionRoutes(services));
  app.route("/", contextRoutes(services));
  app.route("/", contextRuleRoutes(services));
  app.route("/", conversationRoutes(services));
  app.route("/", analyticsRoutes(services));
  app.route("/", draftRoutes(services));
  app.route("/", fileRoutes(services));
  app.route("/", agentPreferenceRoutes(services));
  app.route("/", labelRoutes(services));
  app.route("/", queueRoutes(services));
  app.route("/", teamRoutes(services));
  app.route("/", viewRoutes(services));
  app.route("/", notificationRoutes(services));
  app.route("/", programRoutes(services));
  app.route("/", scheduledMessageRoutes(services));
  app.route("/", searchRoutes(services));
  app.route("/", workspaceRoutes(services));
  return app;
}

const Missing = z.array(z.string()).openapi({ description: "What is missing, as sentences" });

/** Probes are handled before the API (`probes.ts`), because they have to work without it. */
function describeProbes(app: Api): void {
  const probe = (path: string, summary: string, schema: z.ZodType, otherwise?: string) => {
    const response = (description: string) => ({
      description,
      content: { "application/json": { schema } },
    });
    app.openAPIRegistry.registerPath({
      method: "get",
      path,
      tags: ["server"],
      summary,
      security: [],
      responses: {
        ...responses(200, "Yes", schema),
        ...(otherwise === undefined ? {} : { 503: response(otherwise) }),
      },
    });
  };
  probe("/live", "Whether the process turns", z.object({ live: z.literal(true) }));
  probe(
    "/ready",
    "Whether new traffic is welcome",
    z.object({ ready: z.boolean(), missing: Missing.optional() }),
    "Without the database, while the server starts, and while it stops",
  );
  probe(
    "/health",
    "How every part is",
    z.looseObject({
      status: z.enum(["ok", "degraded", "starting"]),
      timestamp: z.iso.datetime(),
      services: z.looseObject({}),
      websocket: z.looseObject({}),
      missing: Missing,
    }),
    "Without the database",
  );
}

/**
 * They read or set the cookie of agents. Browsers send it from a widget's website, too, where that is
 * of the same site; such a website may not call them.
 */
const COOKIE_ROUTES = new Set([
  "/api/auth/login",
  "/api/auth/logout",
  "/api/auth/refresh",
  "/api/setup",
]);

/**
 * Widgets call from other origins. An origin that neither a widget nor a setting allows gets no CORS
 * header, so its pages cannot read responses; cookies are never allowed across origins.
 */
function cors(services: ApiServices) {
  return async (c: Context<Env>, next: () => Promise<void>) => {
    const origin = c.req.header("origin");
    if (origin === undefined) return await next();
    c.header("vary", "Origin", { append: true });
    const check = { origin, self: c.get("peer").selfOrigin };
    const allowed = COOKIE_ROUTES.has(c.req.path)
      ? originAllowed(check, services.agentOrigins)
      : await services.originAllowed(check);
    if (!allowed) {
      throw new ParleyError(
        "origin_not_allowed",
        `Cannot answer: "${origin}" is not an allowed origin`,
      );
    }
    c.header("access-control-allow-origin", origin);
    c.header("access-control-expose-headers", "etag, retry-after");
    if (c.req.method === "OPTIONS") {
      c.header("access-control-allow-methods", "GET, POST, PATCH, DELETE");
      c.header(
        "access-control-allow-headers",
        "authorization, content-type, if-match, if-none-match",
      );
      c.header("access-control-max-age", "600");
      return c.body(null, 204);
    }
    await next();
  };
}

/** "content" is text that people type, in messages and canned responses. */
const BODY = { bounded: true, text: ["content"] };

/** Reads bodies once, within the limits, and passes the parsed JSON to the validators. */
function jsonBodies(maxBytes: number, timeoutMs: number) {
  return async (c: Context<Env>, next: () => Promise<void>) => {
    const isJson = c.req.path !== UPLOAD_PATH;
    if (isJson && (c.req.method === "POST" || c.req.method === "PATCH")) {
      const text = await readText(c, maxBytes, timeoutMs);
      const type = c.req.header("content-type") ?? "";
      // With parameters, as the validators accept them.
      if (text !== "" && !/^application\/json(?:;\s*[a-zA-Z0-9-]+=[^;]+)*$/.test(type)) {
        throw new ParleyError(
          "invalid",
          `Cannot read the body: content type "${type}" is not application/json`,
        );
      }
      // A PATCH without a body is a mistake; a POST may have none.
      if (text !== "" || type !== "" || c.req.method === "PATCH") {
        c.req.bodyCache.json = Promise.resolve(parseJson(text, BODY)) as never;
      } else {
        // It was read, and the validators must not read it again.
        c.req.bodyCache.arrayBuffer = Promise.resolve(new ArrayBuffer(0)) as never;
      }
    }
    await next();
  };
}

/** Codes of refusals that are counted by their limit. */
const COUNTED: ReadonlySet<string> = new Set(["rate_limited", "overloaded", "request_timeout"]);

function problemResponse(c: Context<Env>, thrown: unknown, services: ApiServices): Response {
  const error = toParleyError(thrown);
  services.metrics.errors.inc({ code: error.code, protocol: "http" });
  if (error.limit !== undefined && COUNTED.has(error.code)) {
    services.metrics.refusals.inc({ limit: error.limit ?? "unknown" });
  }
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
