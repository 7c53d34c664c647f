/** Canned responses and macros, with bodies of requests and responses. */
import { z } from "zod";
import { LabelIds } from "./labels.ts";
import { Cursor, Id, queryInteger, Timestamp } from "./model.ts";
import { MAX_CONTENT } from "./native.ts";

/** Canned responses for everybody, and an agent's own ones. */
export const MAX_SHARED_RESPONSES = 1000;
export const MAX_OWN_RESPONSES = 300;
/** Characters of a short code, and of a folder's name. */
export const MAX_SHORT_CODE = 40;
export const MAX_FOLDER = 60;

/** What a macro does to a conversation besides writing in it. */
export const MacroActions = z.strictObject({
  /** Ids of labels to add. One that was deleted since is left out. */
  addLabels: LabelIds.optional(),
  /** Who gets it: who uses the macro, nobody, or a user's id. */
  assignTo: z.union([z.enum(["me", "nobody"]), Id]).optional(),
  /** A team's id. One that was deleted since is left out. */
  teamId: Id.optional(),
  status: z.enum(["open", "pending", "resolved"]).optional(),
}).refine(
  ({ addLabels, assignTo, teamId, status }) => addLabels?.length || assignTo || teamId || status,
  "at least one of addLabels, assignTo, teamId and status is needed",
);
export type MacroActions = z.infer<typeof MacroActions>;

/** A text that agents use often; "/shortCode" inserts it in the composer. With actions it is a macro. */
export const CannedResponse = z.object({
  id: Id,
  /** Who made it. */
  userId: Id.nullable(),
  shortCode: z.string(),
  /** May have variables, such as {{contact.firstName|there}}. */
  content: z.string(),
  folder: z.string().nullable(),
  /** False: only who made it sees it. */
  shared: z.boolean(),
  actions: MacroActions.nullable(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type CannedResponse = z.infer<typeof CannedResponse>;

const Shape = z.strictObject({
  shortCode: z.string().trim().normalize().toLowerCase().max(MAX_SHORT_CODE).regex(
    /^[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]*$/u,
    "must have letters, digits, - and _ only",
  ),
  /** May be empty only with actions. */
  content: z.string().max(MAX_CONTENT).overwrite((text) => text.toWellFormed()),
  folder: z.string().trim().max(MAX_FOLDER).overwrite((name) =>
    name.toWellFormed().normalize().replace(/\s+/g, " ")
  ).nullable().optional(),
  /** Default: true. */
  shared: z.boolean().optional(),
  actions: MacroActions.nullable().optional(),
});

export const CreateCannedResponseBody = Shape.refine(
  ({ content, actions }) => content.trim() !== "" || actions != null,
  { path: ["content"], message: "must not be empty" },
);
export type CreateCannedResponseBody = z.infer<typeof CreateCannedResponseBody>;
export const UpdateCannedResponseBody = Shape.partial().refine(
  (body) => Object.values(body).some((value) => value !== undefined),
  "at least one of shortCode, content, folder, shared and actions is needed",
);
export type UpdateCannedResponseBody = z.infer<typeof UpdateCannedResponseBody>;
/** `q`: only those whose short code starts with it. */
export const CannedResponseQuery = z.strictObject({
  cursor: Cursor.optional(),
  limit: queryInteger(1, 100).optional(),
  q: z.string().max(MAX_SHORT_CODE).optional(),
});
export const CannedResponseList = z.object({
  items: z.array(CannedResponse),
  nextCursor: z.string().nullable(),
});
export type CannedResponseList = z.infer<typeof CannedResponseList>;

/** Who may add and change those for everybody. */
export const CannedResponseSettings = z.strictObject({ managedBy: z.enum(["agents", "admins"]) });
export type CannedResponseSettings = z.infer<typeof CannedResponseSettings>;
