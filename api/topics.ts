import { createRoute, type z } from "@hono/zod-openapi";
import {
  EventPage,
  EventQuery,
  formatPosition,
  MAX_EVENTS,
  parseEventsQuery,
  parsePosition,
} from "../protocol/topics.ts";
import { toConversationEvent } from "../protocol/topics_events.ts";
import { asPerson, authenticate } from "./authentication.ts";
import { type Api, createApi } from "./env.ts";
import { IdParam, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

/**
 * The events of the topics at `/api/v1/ws`, with the same ids, for who cannot open a socket and
 * polls. It takes credentials in the address as the socket does, so it authenticates by itself.
 */
export function topicRoutes(services: ApiServices): Api {
  const { conversations } = services;
  const { epoch } = conversations;
  const app = createApi();

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/v1/conversations/{id}/events",
      tags: ["conversations"],
      summary: "What happened after an event, in order; without one, the position to continue from",
      request: { params: IdParam, query: EventQuery },
      responses: {
        ...responses(200, "A page", EventPage),
        304: { description: "Nothing has happened since the response with this ETag" },
      },
    }),
    async (c) => {
      const id = c.req.valid("param").id.toLowerCase();
      const { after, limit = MAX_EVENTS, events, ...credentials } = c.req.valid("query");
      const wanted = parseEventsQuery(events);
      const headers = withCredentials(c.req.raw.headers, credentials);
      const caller = await authenticate(services, { headers }, c.get("peer").selfOrigin);
      const principal = asPerson(caller);
      const missed = await conversations.catchUp(principal, id, {
        after: after === undefined ? undefined : parsePosition(after, id, epoch),
        limit,
      });
      const { number, seq } = missed.end;
      // The response to one URL and one reader changes only when the end moves.
      const etag = `"${epoch}.${seq}.${number}"`;
      c.header("etag", etag);
      c.header("cache-control", "private, no-cache");
      c.header("vary", "Authorization", { append: true });
      if (c.req.header("if-none-match") === etag) return c.body(null, 304);
      return c.json({
        items: missed.events.flatMap((event) => toConversationEvent(epoch, event) ?? [])
          .filter(({ event }) => wanted.has(event)),
        nextCursor: formatPosition(id, missed.position),
        hasMore: missed.hasMore,
        reset: missed.reset,
      }, 200);
    },
  );
  return app;
}

/** The credentials of the header, or else of the URL. */
function withCredentials(
  given: Headers,
  { token, sessionId }: Pick<z.infer<typeof EventQuery>, "token" | "sessionId">,
): Headers {
  const headers = new Headers(given);
  const credentials = token || sessionId;
  if (!headers.has("authorization") && credentials) {
    headers.set("authorization", `Bearer ${credentials}`);
  }
  return headers;
}
