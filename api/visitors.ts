import { createRoute, z } from "@hono/zod-openapi";
import { NetworkLimiter } from "../domain/rate_limit.ts";
import { originAllowed } from "../domain/visitors/origins.ts";
import { openSession } from "../domain/visitors/sessions.ts";
import { findWidgetByKey } from "../domain/visitors/widgets.ts";
import { ParleyError } from "../protocol/errors.ts";
import { PublicWidget, SessionBody, SessionResponse } from "../protocol/rest.ts";
import type { WidgetConfig } from "../protocol/model.ts";
import { type Api, createApi } from "./env.ts";
import { body, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

/** Routes for a widget that has no session yet. */
export function visitorRoutes(services: ApiServices): Api {
  const { db } = services;
  const app = createApi();
  const sessions = new NetworkLimiter(services.sessionsPerMinute);

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/sessions",
      security: [],
      tags: ["visitors"],
      summary: "Open a visitor's session, or continue one",
      request: body(SessionBody),
      responses: responses(200, "The session", SessionResponse),
    }),
    async (c) => {
      const { address, selfOrigin } = c.get("peer");
      const wait = sessions.take(address);
      if (wait > 0) {
        throw new ParleyError("rate_limited", "Cannot open a session: too many from here", {
          retryAfter: wait,
          limit: "LIMIT_SESSIONS_PER_MINUTE",
        });
      }
      const from = {
        origin: c.req.header("origin") ?? null,
        self: selfOrigin,
        userAgent: c.req.header("user-agent") ?? null,
      };
      const session = await openSession(db, services.bus, c.req.valid("json"), from, {
        lifeMs: services.sessionLifeMs,
        renames: services.renames,
        pages: services.pages,
      });
      return c.json({
        ...session,
        expiresAt: session.expiresAt.toISOString(),
        widget: await publicWidget(session.widget),
      }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/widgets/{widgetKey}",
      security: [],
      tags: ["visitors"],
      summary: "How a widget looks",
      request: { params: z.object({ widgetKey: z.string().max(100).regex(/^[\w-]+$/) }) },
      responses: responses(200, "Its appearance", PublicWidget),
    }),
    async (c) => {
      const widget = await findWidgetByKey(db, c.req.valid("param").widgetKey);
      const origin = c.req.header("origin") ?? null;
      if (!originAllowed({ origin, self: c.get("peer").selfOrigin }, widget.allowedOrigins)) {
        throw new ParleyError(
          "origin_not_allowed",
          `Cannot show the widget: "${origin}" is not an allowed origin of it`,
        );
      }
      c.header("cache-control", "public, max-age=60");
      return c.json(await publicWidget(widget), 200);
    },
  );

  async function publicWidget({ widgetKey, appearance }: WidgetConfig): Promise<PublicWidget> {
    return { widgetKey, appearance, pages: await services.bot.pages() };
  }
  return app;
}
