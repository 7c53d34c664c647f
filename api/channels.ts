import { createRoute } from "@hono/zod-openapi";
import {
  createChannel,
  deleteChannel,
  findChannel,
  listChannels,
  updateChannel,
} from "../domain/channels/channels.ts";
import { etagOf } from "../protocol/etag.ts";
import {
  Channel,
  ChannelList,
  ChannelQuery,
  CreateChannelBody,
  UpdateChannelBody,
} from "../protocol/workspace.ts";
import {
  adminOf,
  agentOf,
  answers,
  type Api,
  type ApiServices,
  body,
  createApi,
  IdParam,
  nothing,
} from "./context.ts";
import { IfMatch, requireMatch } from "./etag.ts";

const tags = ["channels"];

/** Accounts on messaging platforms. Agents read, admins change. */
export function channelRoutes({ db }: ApiServices): Api {
  const app = createApi();
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/channels",
      tags,
      summary: "Channels, newest first",
      request: { query: ChannelQuery },
      responses: answers(200, "A page", ChannelList),
    }),
    async (c) => {
      agentOf(c);
      const { limit = 50, cursor } = c.req.valid("query");
      return c.json(await listChannels(db, { cursor, limit }), 200);
    },
  );
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/channels",
      tags,
      summary: "Add a channel (admins)",
      description: "It can be enabled where this version has an adapter for its platform.",
      request: body(CreateChannelBody),
      responses: answers(201, "The channel", Channel),
    }),
    async (c) => {
      adminOf(c);
      const channel = await createChannel(db, c.req.valid("json"));
      c.header("etag", etagOf(channel));
      return c.json(channel, 201);
    },
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/channels/{id}",
      tags,
      summary: "One channel",
      request: { params: IdParam },
      responses: answers(200, "The channel", Channel),
    }),
    async (c) => {
      agentOf(c);
      const channel = await findChannel(db, c.req.valid("param").id);
      c.header("etag", etagOf(channel));
      return c.json(channel, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/channels/{id}",
      tags,
      summary: "Change a channel (admins)",
      request: { params: IdParam, headers: IfMatch, ...body(UpdateChannelBody) },
      responses: answers(200, "The channel", Channel),
    }),
    async (c) => {
      adminOf(c);
      const channel = await updateChannel(
        db,
        c.req.valid("param").id,
        c.req.valid("json"),
        (current) => requireMatch(c, "channel", current),
      );
      c.header("etag", etagOf(channel));
      return c.json(channel, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "delete",
      path: "/api/channels/{id}",
      tags,
      summary: "Remove a channel (admins)",
      request: { params: IdParam, headers: IfMatch },
      responses: nothing,
    }),
    async (c) => {
      adminOf(c);
      const { id } = c.req.valid("param");
      await deleteChannel(db, id, (current) => requireMatch(c, "channel", current));
      return c.body(null, 204);
    },
  );
  return app;
}
