import { namesOf } from "../format/names.ts";
import { Avatar } from "../ui/Avatar.tsx";

/** Avatars that are shown; of the rest there is the number. */
const SHOWN = 3;

export interface Person {
  userId: string;
  userName: string;
}

/** The colleagues who write a text together with this agent. */
export function Writers({ people }: { people: readonly Person[] }) {
  if (people.length === 0) return <span class="writers">Nobody else is here yet</span>;
  const names = namesOf(people);
  return (
    <span class="writers" title={names}>
      <AvatarStack people={people} />
      <span class="truncate">{names} {people.length === 1 ? "writes" : "write"} here</span>
    </span>
  );
}

export function AvatarStack({ people }: { people: readonly Person[] }) {
  return (
    <span class="avatar-stack" aria-hidden="true">
      {people.slice(0, SHOWN).map(({ userId, userName }) => (
        <Avatar key={userId} id={userId} name={userName} size="s" shape="team" />
      ))}
      {people.length > SHOWN && <span class="avatar-stack-more">+{people.length - SHOWN}</span>}
    </span>
  );
}
