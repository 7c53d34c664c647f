/** Channels, with bodies of requests and responses. */
import { z } from "zod";
import { Cursor, Id, queryInteger, Timestamp } from "./model.ts";
import { nameOf } from "./text_fields.ts";

const Paging = {
  cursor: Cursor.optional(),
  limit: queryInteger(1, 100).optional(),
};
const notEmpty = (body: object) => Object.values(body).some((value) => value !== undefined);

/** A channel besides the widget: an account of the workspace on a messaging platform. */
export const Channel = z.object({
  id: Id,
  platform: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  settings: z.record(z.string(), z.unknown()),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Channel = z.infer<typeof Channel>;

export const CreateChannelBody = z.strictObject({
  platform: z.string().max(40).regex(
    /^[a-z][a-z0-9_]*$/,
    'must be a platform\'s name such as "telegram"',
  ),
  name: nameOf(100),
  /** Default: false. */
  enabled: z.boolean().optional(),
  /** No secrets: all who may read the channel see them. */
  settings: z.record(z.string().max(100), z.unknown()).optional(),
});
export type CreateChannelBody = z.infer<typeof CreateChannelBody>;
/** `settings` replaces the old settings. The platform cannot be changed. */
export const UpdateChannelBody = CreateChannelBody.omit({ platform: true }).partial().refine(
  notEmpty,
  "at least one of name, enabled and settings is needed",
);
export type UpdateChannelBody = z.infer<typeof UpdateChannelBody>;
export const ChannelQuery = z.strictObject(Paging);
export const ChannelList = z.object({
  items: z.array(Channel),
  nextCursor: z.string().nullable(),
});
