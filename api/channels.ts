import {
  createChannel,
  deleteChannel,
  findChannel,
  listChannels,
  updateChannel,
} from "../domain/channels/channels.ts";
import {
  Channel,
  ChannelList,
  ChannelQuery,
  CreateChannelBody,
  UpdateChannelBody,
} from "../protocol/workspace.ts";
import { adminOf, agentOf } from "./authentication.ts";
import type { Api } from "./env.ts";
import type { ApiServices } from "./services.ts";
import { recordRoutes } from "./records.ts";

/** Accounts on messaging platforms. Agents read, admins change. */
export function channelRoutes({ db }: ApiServices): Api {
  return recordRoutes({
    path: "/api/channels",
    tag: "channels",
    one: "channel",
    words: {
      list: "Channels, newest first",
      add: "Add a channel (admins)",
      addMore: "It can be enabled where this version has an adapter for its platform.",
      read: "One channel",
      change: "Change a channel (admins)",
      remove: "Remove a channel (admins)",
      item: "The channel",
      items: "A page",
    },
    item: Channel,
    items: ChannelList,
    query: ChannelQuery,
    creation: CreateChannelBody,
    changes: UpdateChannelBody,
    audit: {
      db,
      name: ({ name }) => name,
      created: "channel.created",
      updated: "channel.updated",
      deleted: "channel.deleted",
    },
    reader: agentOf,
    writer: adminOf,
    list: ({ limit = 50, cursor }) => listChannels(db, { cursor, limit }),
    find: (id) => findChannel(db, id),
    create: (values) => createChannel(db, values),
    update: (id, changes, check) => updateChannel(db, id, changes, check),
    remove: (id, check) => deleteChannel(db, id, check),
  });
}
