import type { Context } from "hono";
import { actorOf } from "../domain/conversations/actors.ts";
import { needScope } from "../domain/principal.ts";
import { createTeam, findTeam, listTeams, updateTeam } from "../domain/teams/teams.ts";
import { CreateTeamBody, Team, TeamList, UpdateTeamBody } from "../protocol/teams.ts";
import { adminOf, agentOf } from "./authentication.ts";
import type { Api, Env } from "./env.ts";
import { recordRoutes } from "./records.ts";
import type { ApiServices } from "./services.ts";

/** Teams: every agent reads them, admins change them. */
export function teamRoutes({ db, teams }: ApiServices): Api {
  return recordRoutes({
    path: "/api/teams",
    tag: "teams",
    one: "team",
    words: {
      list: "All teams with their members, by name",
      add: "Add a team (admins)",
      read: "One team",
      change: "Change a team; memberIds replaces its members (admins)",
      remove: "Delete a team; its conversations stay, without a team (admins)",
      item: "The team",
      items: "Teams",
    },
    item: Team,
    items: TeamList,
    creation: CreateTeamBody,
    changes: UpdateTeamBody,
    audit: {
      db,
      name: ({ name }) => name,
      created: "team.created",
      updated: "team.updated",
      deleted: "team.deleted",
    },
    reader: readerOf,
    writer: adminOf,
    list: async () => ({ items: await listTeams(db), nextCursor: null }),
    find: (id) => findTeam(db, id),
    create: (values) => createTeam(db, values),
    async update(id, changes, check) {
      const team = await updateTeam(db, id, changes, check);
      teams.wake();
      return team;
    },
    remove: (id, check, c) => teams.remove(id, check, actorOf(adminOf(c))),
  });
}

/** A program that gives conversations to teams needs the list of them. */
function readerOf(c: Context<Env>): void {
  const caller = c.get("principal");
  if (caller.kind === "program") needScope(caller, "conversations:read");
  else agentOf(c);
}
