import { signal } from "@preact/signals";
import type { Conversation, User } from "../../protocol/model.ts";
import type { Team } from "../../protocol/teams.ts";
import type { WorkspaceModel } from "./workspace_model.ts";

export type TeamDirectory = ReturnType<typeof createTeamDirectory>;

/** The people and teams that conversations can be given to, as of the last request. */
export function createTeamDirectory(
  start: { users: User[]; teams: Team[] },
  { request }: Pick<WorkspaceModel, "request">,
) {
  const users = signal<readonly User[]>(start.users);
  const teams = signal<readonly Team[]>(start.teams);
  /** Teams of conversations that are new here; each is looked for once. */
  const missed = new Set<string>();

  async function refreshUsers(): Promise<void> {
    const [people, all] = await Promise.all([
      request<{ items: User[] }>("/api/users"),
      request<{ items: Team[] }>("/api/teams"),
    ]);
    users.value = people.items;
    teams.value = all.items;
  }

  return {
    users,
    teams,
    refreshUsers,
    /** undefined: none, or one that was deleted. */
    teamOf: ({ teamId }: Conversation) => teams.value.find(({ id }) => id === teamId),
    /** A conversation was received, maybe of a team that is not known yet. */
    meetTeam({ teamId }: Conversation) {
      if (teamId === undefined || missed.has(teamId)) return;
      if (teams.value.some(({ id }) => id === teamId)) return;
      missed.add(teamId);
      refreshUsers().catch(() => missed.delete(teamId));
    },
  };
}
