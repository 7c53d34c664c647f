import { createRoute } from "@hono/zod-openapi";
import { Notification } from "../protocol/model.ts";
import {
  NotificationList,
  NotificationPreferences,
  NotificationQuery,
  UnreadNotifications,
  UpdatePreferencesBody,
} from "../protocol/notifications.ts";
import {
  answers,
  type Api,
  type ApiServices,
  body,
  createApi,
  IdParam,
  personOf,
} from "./context.ts";

const tags = ["notifications"];

/** An agent's own notifications, and how they want to be told. */
export function notificationRoutes({ notifications }: ApiServices): Api {
  const app = createApi();

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/notifications",
      tags,
      summary: "Own notifications, newest first (agents)",
      request: { query: NotificationQuery },
      responses: answers(200, "A page", NotificationList),
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
      responses: answers(200, "How many are not read", UnreadNotifications),
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
      responses: answers(200, "The notification", Notification),
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
      summary: "How one wants to be told of what",
      responses: answers(200, "By kind", NotificationPreferences),
    }),
    async (c) => c.json(await notifications.preferences(personOf(c)), 200),
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/notification-preferences",
      tags,
      summary: "Change what is named, keep the rest",
      request: body(UpdatePreferencesBody),
      responses: answers(200, "By kind, as they are now", NotificationPreferences),
    }),
    async (c) => {
      const changes = c.req.valid("json");
      return c.json(await notifications.updatePreferences(personOf(c), changes), 200);
    },
  );
  return app;
}
