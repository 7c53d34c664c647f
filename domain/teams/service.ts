/** What is done with teams beside their records. */
import type { Db } from "../../db/database.ts";
import type { Team } from "../../protocol/teams.ts";
import type { Actor } from "../conversations/unit_of_work.ts";
import type { Writer } from "../conversations/writer.ts";
import { deleteTeam } from "./removal.ts";

export interface TeamService {
  /** Deletes a team; see removal.ts. */
  remove(id: string, check: (current: Team) => void, actor: Actor): Promise<void>;
}

export function createTeams({ db, writer }: { db: Db; writer: Writer }): TeamService {
  return {
    remove: (id, check, actor) => deleteTeam({ db, writer }, id, check, actor),
  };
}
