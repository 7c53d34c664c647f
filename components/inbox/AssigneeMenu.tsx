import { ChevronDown, UserMinus, UserPlus, Users } from "lucide-preact";
import { useEffect } from "preact/hooks";
import type { Conversation } from "../../protocol/model.ts";
import type { Team } from "../../protocol/teams.ts";
import { Avatar } from "../ui/Avatar.tsx";
import { Button } from "../ui/Button.tsx";
import { Menu, MenuHeading, MenuItem, MenuLine } from "../ui/Menu.tsx";
import { useInbox } from "./context.ts";

/** "Assign to me" while nobody is assigned, and the menu with all agents. */
export function AssigneeMenu({ conversation }: { conversation: Conversation }) {
  const inbox = useInbox();
  const { id, assignee } = conversation;
  const mine = assignee?.userId === inbox.user.id;
  const users = inbox.users.value.filter((user) =>
    user.disabledAt === null && user.id !== inbox.user.id
  );
  const teams = inbox.teams.value;
  const team = inbox.teamOf(conversation);
  const chooseTeam = (close: () => void, to: Team | null) => {
    close();
    if (team?.id !== to?.id) inbox.giveToTeam(id, to);
  };
  const choose = (close: () => void, to: typeof inbox.user | null) => {
    close();
    if (assignee?.userId !== to?.id) inbox.assign(id, to);
  };
  return (
    <>
      {assignee === null && (
        <span class="not-phone">
          <Button
            size="s"
            icon={<UserPlus size={15} aria-hidden="true" />}
            aria-keyshortcuts="A"
            onClick={() => inbox.assign(id, inbox.user)}
          >
            Assign to me
          </Button>
        </span>
      )}
      <Menu
        label="Assign to"
        align="end"
        trigger={(props) => (
          <button
            type="button"
            class="button assignee-button"
            data-kind={assignee === null ? "quiet" : "plain"}
            aria-keyshortcuts="Shift+A"
            data-size="s"
            {...props}
          >
            {assignee
              ? (
                <>
                  <Avatar id={assignee.userId} name={assignee.userName} size="s" shape="team" />
                  <span class="sr-only">Assigned to</span>
                  <span class="truncate phone-unseen" dir="auto">
                    {mine ? "You" : assignee.userName}
                  </span>
                </>
              )
              : team
              ? (
                <>
                  <Users size={15} aria-hidden="true" />
                  <span class="sr-only">Team</span>
                  <span class="truncate phone-unseen" dir="auto">{team.name}</span>
                </>
              )
              : (
                <>
                  <span class="only-phone">
                    <UserPlus size={16} aria-hidden="true" />
                  </span>
                  <span class="sr-only">Assign to somebody</span>
                </>
              )}
            <ChevronDown size={14} aria-hidden="true" />
          </button>
        )}
      >
        {(close) => (
          <>
            <Fresh />
            <MenuHeading>Assign to</MenuHeading>
            {[inbox.user, ...users].map((user) => (
              <MenuItem
                key={user.id}
                icon={
                  <Avatar
                    id={user.id}
                    name={user.name}
                    size="s"
                    shape="team"
                    presence={inbox.presence.statusOf(user.id)}
                  />
                }
                checked={assignee?.userId === user.id}
                onSelect={() => choose(close, user)}
              >
                <bdi>{user.name}</bdi>
                {user.id === inbox.user.id && " (you)"}
              </MenuItem>
            ))}
            {teams.length > 0 && (
              <>
                <MenuLine />
                <MenuHeading>Teams</MenuHeading>
                {teams.map((one) => (
                  <MenuItem
                    key={one.id}
                    icon={<Users size={16} />}
                    checked={team?.id === one.id}
                    onSelect={() => chooseTeam(close, one)}
                  >
                    <bdi>{one.name}</bdi>
                  </MenuItem>
                ))}
              </>
            )}
            {(assignee || team) && <MenuLine />}
            {assignee && (
              <MenuItem
                icon={<UserMinus size={16} />}
                onSelect={() => choose(close, null)}
              >
                Unassign
              </MenuItem>
            )}
            {team && (
              <MenuItem
                icon={<UserMinus size={16} />}
                onSelect={() => chooseTeam(close, null)}
              >
                Take out of <bdi>{team.name}</bdi>
              </MenuItem>
            )}
          </>
        )}
      </Menu>
    </>
  );
}

/** Requests the users when the menu opens: some may have been added or disabled since. */
function Fresh() {
  const inbox = useInbox();
  useEffect(() => {
    // Without an answer the menu keeps the known users; the server refuses an invalid choice.
    inbox.refreshUsers().catch(() => {});
  }, []);
  return null;
}
