/** What is done with teams beside their records. */
import type { Team } from "../../protocol/teams.ts";
import type { Actor } from "../conversations/unit_of_work.ts";
import { type Assignment, type AssignmentOptions, createAssignment } from "./assignment.ts";
import { deleteTeam } from "./removal.ts";

export interface TeamService extends Assignment {
  /** Deletes a team; see removal.ts. */
  remove(id: string, check: (current: Team) => void, actor: Actor): Promise<void>;
}

export function createTeams(options: AssignmentOptions): TeamService {
  return {
    ...createAssignment(options),
    remove: (id, check, actor) => deleteTeam(options, id, check, actor),
  };
}
