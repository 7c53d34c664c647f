import { namesOf } from "../format/names.ts";
import { Avatar } from "../ui/Avatar.tsx";
import { useInbox } from "./context.ts";
import { isolate } from "../../protocol/visible_text.ts";

/** Avatars that are shown; of the rest there is the number. */
const SHOWN = 3;

/** The colleagues who have this conversation open. */
export function Viewers() {
  const inbox = useInbox();
  const { members, typing } = inbox.thread.snapshot.value;
  const here = members.filter(({ role, userId }) => role === "agent" && userId !== inbox.user.id);
  if (!inbox.live.value || here.length === 0) return null;
  const busy = new Set(typing.map(({ userId }) => userId));
  return (
    <div class="viewers" role="group" aria-label={`${namesOf(here)} also here`}>
      {here.slice(0, SHOWN).map(({ userId, userName }) => (
        <span
          key={userId}
          class="viewer"
          data-busy={busy.has(userId) ? "" : undefined}
          data-tip={`${isolate(userName)} ${busy.has(userId) ? "is writing" : "has this open"}`}
          data-tip-at="start"
        >
          <Avatar
            id={userId}
            name={userName}
            size="m"
            shape="team"
            presence={inbox.presence.statusOf(userId)}
          />
        </span>
      ))}
      {here.length > SHOWN && <span class="avatar-stack-more">+{here.length - SHOWN}</span>}
    </div>
  );
}
