import { createRoute } from "@hono/zod-openapi";
import { Notification } from "../protocol/model.ts";
import {
  NotificationList,
  NotificationPreferences,
  NotificationQuery,
  UnreadNotifications,
  UpdatePreferencesBody,
} from "../protocol/notifications.ts";
import { personOf } from "./authentication.ts";
import { type Api, createApi } from "./env.ts";
import { body, IdParam, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

const tags = ["notifications"];

/** An agent's own notifications and preferences. */
export function notificationRoutes({ notifications }: ApiServices): Api {
  const app = createApi();

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/notifications",
      tags,
      summary: "Own notifications, newest first (agents)",
      request: { query: NotificationQuery },
      responses: responses(200, "A page", NotificationList),
    }),
    async (c) => {
      const { unread, ...query } = c.req.valid("query");
      const page = await notifications.list(personOf(c), {
        ...query,
        unread: unread === "true",
      });
      return c.json(page, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/notifications/read",
      tags,
      summary: "Mark all own notifications as read",
      responses: responses(200, "How many are not read", UnreadNotifications),
    }),
    async (c) => c.json(await notifications.readAll(personOf(c)), 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/notifications/{id}/read",
      tags,
      summary: "Mark one as read",
      request: { params: IdParam },
      responses: responses(200, "The notification", Notification),
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      return c.json(await notifications.read(personOf(c), id), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/notification-preferences",
      tags,
      summary: "Own preferences, by kind of notification",
      responses: responses(200, "By kind", NotificationPreferences),
    }),
    async (c) => c.json(await notifications.preferences(personOf(c)), 200),
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/notification-preferences",
      tags,
      summary: "Change the given preferences, keep the rest",
      request: body(UpdatePreferencesBody),
      responses: responses(200, "By kind, as they are now", NotificationPreferences),
    }),
    async (c) => {
      const changes = c.req.valid("json");
      return c.json(await notifications.updatePreferences(personOf(c), changes), 200);
    },
  );
  return app;
}
