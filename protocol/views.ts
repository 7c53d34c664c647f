/** Saved views: filters of the list of conversations, with bodies of /api/views. */
import { z } from "zod";
import { Id, Timestamp } from "./model.ts";
import { ConversationFilter } from "./rest.ts";
import { nameOf } from "./text_fields.ts";

/** Views of one agent, and characters of a name. */
export const MAX_VIEWS = 100;
export const MAX_VIEW_NAME = 50;

/** Who sees a view besides who made it. */
export const ViewAudience = z.enum(["nobody", "team", "everybody"]);
export type ViewAudience = z.infer<typeof ViewAudience>;

export const SavedView = z.object({
  id: Id,
  /** Who made it. */
  userId: Id,
  userName: z.string(),
  name: z.string(),
  filter: ConversationFilter,
  sharedWith: ViewAudience,
  /** Of a view for a team. */
  teamId: Id.nullable(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type SavedView = z.infer<typeof SavedView>;

const Shape = z.strictObject({
  name: z.string().overwrite((name) => name.normalize()).pipe(nameOf(MAX_VIEW_NAME)),
  filter: ConversationFilter,
  /** Default: nobody. */
  sharedWith: ViewAudience.optional(),
  /** A team's id; with `sharedWith: "team"`, and only with it. */
  teamId: Id.nullable().optional(),
});
const teamFits = (
  { sharedWith, teamId }: {
    sharedWith?: string | undefined;
    teamId?: string | null | undefined;
  },
) => (sharedWith === "team") === (teamId != null);
const TEAM_FITS = {
  path: ["teamId"],
  message: 'goes only together with "sharedWith": "team", which needs it',
};

export const CreateViewBody = Shape.refine(teamFits, TEAM_FITS);
export type CreateViewBody = z.infer<typeof CreateViewBody>;
export const UpdateViewBody = Shape.partial().refine(
  (body) => Object.values(body).some((value) => value !== undefined),
  "at least one of name, filter and sharedWith is needed",
).refine(teamFits, TEAM_FITS);
export type UpdateViewBody = z.infer<typeof UpdateViewBody>;

/** By name. */
export const ViewList = z.object({ items: z.array(SavedView), nextCursor: z.null() });
export type ViewList = z.infer<typeof ViewList>;

/** Conversations in each view that the agent sees, at most 100: then there may be more. */
export const ViewCounts = z.object({
  counts: z.record(Id, z.number().int()),
});
export type ViewCounts = z.infer<typeof ViewCounts>;
