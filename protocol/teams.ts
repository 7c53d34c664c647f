/** Teams, with bodies of requests and responses of /api/teams. */
import { z } from "zod";
import { Id, Timestamp } from "./model.ts";
import { nameOf } from "./text_fields.ts";

/** Teams in all, and people of one. */
export const MAX_TEAMS = 100;
export const MAX_TEAM_MEMBERS = 500;
/** Characters of a name. */
export const MAX_TEAM_NAME = 50;
/** The highest capacity. */
export const MAX_CAPACITY = 1000;

/**
 * Who gets a conversation of the team in which a contact waits: nobody by itself, each available
 * member in turn, or the one with the fewest open conversations.
 */
export const TeamAssignment = z.enum(["none", "round_robin", "least_busy"]);
export type TeamAssignment = z.infer<typeof TeamAssignment>;

export const Team = z.object({
  id: Id,
  /** Unique, case-insensitively. */
  name: z.string(),
  assignment: TeamAssignment,
  /** A member with as many open conversations gets no others by itself; null: no limit. */
  capacity: z.number().int().nullable(),
  /** Users, in the order of their ids. */
  memberIds: z.array(Id),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Team = z.infer<typeof Team>;

const MemberIds = z.array(Id).max(MAX_TEAM_MEMBERS).refine(
  (ids) => new Set(ids).size === ids.length,
  "must not name a user twice",
);

export const CreateTeamBody = z.strictObject({
  name: z.string().overwrite((name) => name.normalize()).pipe(nameOf(MAX_TEAM_NAME)),
  /** Default: none. */
  assignment: TeamAssignment.optional(),
  capacity: z.number().int().min(1).max(MAX_CAPACITY).nullable().optional(),
  /** Users' ids: all members. */
  memberIds: MemberIds.optional(),
});
export type CreateTeamBody = z.infer<typeof CreateTeamBody>;

export const UpdateTeamBody = CreateTeamBody.partial().refine(
  (body) => Object.values(body).some((value) => value !== undefined),
  "at least one of name, assignment, capacity and memberIds is needed",
);
export type UpdateTeamBody = z.infer<typeof UpdateTeamBody>;

/** By name. */
export const TeamList = z.object({ items: z.array(Team), nextCursor: z.null() });
export type TeamList = z.infer<typeof TeamList>;
