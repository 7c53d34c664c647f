import type { Team } from "../../protocol/teams.ts";
import { ApiError } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { DangerForm } from "../ui/DangerForm.tsx";

/** Asks before a team is taken off its conversations. */
export function DeleteTeam({ team, onClose, onDone }: {
  team: Team;
  onClose: () => void;
  onDone: (team: Team) => void;
}) {
  const { request } = useWorkspace();
  const run = async () => {
    try {
      await request(`/api/teams/${team.id}`, { method: "DELETE" });
    } catch (cause) {
      // Somebody else may have deleted it already.
      if (!(cause instanceof ApiError) || cause.status !== 404) throw cause;
    }
    onDone(team);
  };
  return (
    <DangerForm action="Delete team" run={run} onCancel={onClose}>
      <p>
        Its conversations keep their assignees but no longer belong to a team.
      </p>
    </DangerForm>
  );
}
