import { BulkAnswer, BulkBody, UpdateConversationBody } from "../protocol/conversation_changes.ts";
import { createRoute, z } from "@hono/zod-openapi";
import { Conversation, Id, Message } from "../protocol/model.ts";
import {
  ReadConversationsBody,
  ReadConversationsResponse,
  UnreadConversationsBody,
} from "../protocol/notifications.ts";
import {
  ConversationList,
  ConversationQuery,
  EditMessageBody,
  MessageList,
  MessageQuery,
  OpenConversationBody,
  PostMessageBody,
  ReactionBody,
  ReadBody,
} from "../protocol/rest.ts";
import { ConversationCounts, CountsQuery } from "../protocol/queue.ts";
import { countViews } from "../domain/conversations/counts.ts";
import { changesOf } from "../domain/conversations/change_body.ts";
import { agentOf, personOf } from "./authentication.ts";
import { type Api, createApi } from "./env.ts";
import { body, IdParam, noContent, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

const tags = ["conversations"];
const MessageParams = IdParam.extend({ messageId: Id });

/** Conversations and messages: the same domain calls, and so the same events, as on a socket. */
export function conversationRoutes({ conversations, db }: ApiServices): Api {
  const app = createApi();

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/conversations",
      tags,
      summary: "Conversations, newest activity first (agents)",
      request: { query: ConversationQuery },
      responses: responses(200, "A page", ConversationList),
    }),
    async (c) => c.json(await conversations.list(c.get("principal"), c.req.valid("query")), 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/conversations",
      tags,
      summary: "Open a conversation, or find the one there is",
      request: body(OpenConversationBody),
      responses: responses(200, "The conversation", Conversation),
    }),
    async (c) => {
      const { contactId } = c.req.valid("json");
      return c.json(await conversations.open(c.get("principal"), contactId), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/conversations/counts",
      tags,
      summary: "How many conversations each view has, at most 100 (agents)",
      request: { query: CountsQuery },
      responses: responses(200, "The counts", ConversationCounts),
    }),
    async (c) => {
      const { userId } = agentOf(c);
      return c.json(await countViews(db, userId, c.req.valid("query").status), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/conversations/{id}",
      tags,
      summary: "One conversation",
      request: { params: IdParam },
      responses: responses(200, "The conversation", Conversation),
    }),
    async (c) => c.json(await conversations.get(c.get("principal"), c.req.valid("param").id), 200),
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/conversations/{id}",
      tags,
      summary: "Change status, assignment or labels (agents)",
      request: { params: IdParam, ...body(UpdateConversationBody) },
      responses: responses(200, "The conversation", Conversation),
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const changes = changesOf(c.req.valid("json"));
      const changed = await conversations.update(c.get("principal"), id, changes);
      return c.json(changed, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/conversations/bulk",
      tags,
      summary: "Change several conversations in the same way (agents)",
      request: body(BulkBody),
      responses: responses(200, "What was changed, and what was not", BulkAnswer),
    }),
    async (c) => {
      const { ids, change } = c.req.valid("json");
      const changes = changesOf(change);
      return c.json(await conversations.updateMany(c.get("principal"), ids, changes), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/conversations/{id}/messages",
      tags,
      summary: "Messages in the order of seq",
      request: { params: IdParam, query: MessageQuery },
      responses: responses(200, "A page", MessageList),
    }),
    async (c) => {
      const query = c.req.valid("query");
      const { id } = c.req.valid("param");
      const { messages, hasMore } = await conversations.history(c.get("principal"), id, query);
      const edge = query.after === undefined ? messages[0] : messages.at(-1);
      const nextCursor = hasMore && edge !== undefined ? String(edge.seq) : null;
      return c.json({ items: messages, nextCursor }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/conversations/{id}/messages",
      tags,
      summary: "Send a message; the same clientMessageId again is the same message again",
      request: { params: IdParam, ...body(PostMessageBody) },
      responses: {
        ...responses(200, "It was sent before", Message),
        ...responses(201, "It is stored", Message),
      },
    }),
    async (c) => {
      const { message, duplicate } = await conversations.post(c.get("principal"), {
        ...c.req.valid("json"),
        conversationId: c.req.valid("param").id,
      });
      return duplicate ? c.json(message, 200) : c.json(message, 201);
    },
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/conversations/{id}/messages/{messageId}",
      tags,
      summary: "Edit one's own message, for as long as that is possible",
      request: { params: MessageParams, ...body(EditMessageBody) },
      responses: responses(200, "The message", Message),
    }),
    async (c) => {
      const { id, messageId } = c.req.valid("param");
      const { content } = c.req.valid("json");
      return c.json(await conversations.edit(personOf(c), id, messageId, content), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/api/conversations/{id}/messages/{messageId}",
      tags,
      summary: "Withdraw one's own message, for as long as that is possible; admins: any",
      request: { params: MessageParams },
      responses: noContent,
    }),
    async (c) => {
      const { id, messageId } = c.req.valid("param");
      await conversations.remove(personOf(c), id, messageId);
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/conversations/{id}/messages/{messageId}/reactions",
      tags,
      summary: "Add one's own reaction to a message, or remove it",
      request: { params: MessageParams, ...body(ReactionBody) },
      responses: responses(200, "The message", Message),
    }),
    async (c) => {
      const { id, messageId } = c.req.valid("param");
      const { emoji, remove = false } = c.req.valid("json");
      const reaction = { emoji, isAdded: !remove };
      return c.json(await conversations.react(personOf(c), id, messageId, reaction), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/conversations/read",
      tags,
      summary: "Mark several conversations, or all, as read (agents)",
      request: body(ReadConversationsBody),
      responses: responses(200, "What is still unread", ReadConversationsResponse),
    }),
    async (c) => c.json(await conversations.readMany(personOf(c), c.req.valid("json")), 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/conversations/unread",
      tags,
      summary: "Mark conversations as unread for oneself, until they are read (agents)",
      request: body(UnreadConversationsBody),
      responses: responses(
        200,
        "How many of them exist",
        z.object({ unread: z.number().int() }),
      ),
    }),
    async (c) => {
      const { ids } = c.req.valid("json");
      return c.json(await conversations.markUnread(personOf(c), ids), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/conversations/{id}/read",
      tags,
      summary: "Mark as read up to a position",
      request: { params: IdParam, ...body(ReadBody) },
      responses: responses(
        200,
        "Where the reader now stands",
        z.object({ readSeq: z.number().int(), unread: z.number().int() }),
      ),
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { seq } = c.req.valid("json");
      return c.json(await conversations.read(personOf(c), id, seq), 200);
    },
  );
  return app;
}
