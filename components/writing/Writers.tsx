import { namesOf } from "../lib/words.ts";
import { Avatar } from "../ui/Avatar.tsx";

/** Drawn one by one; the rest is a number. */
const SHOWN = 3;

export interface Person {
  userId: string;
  userName: string;
}

/** Who writes a text together with this agent. */
export function Writers({ people }: { people: readonly Person[] }) {
  if (people.length === 0) return <span class="writers">Nobody else is here yet</span>;
  const names = namesOf(people);
  return (
    <span class="writers" title={names}>
      <Faces people={people} />
      <span class="truncate">{names} {people.length === 1 ? "writes" : "write"} here</span>
    </span>
  );
}

export function Faces({ people }: { people: readonly Person[] }) {
  return (
    <span class="faces" aria-hidden="true">
      {people.slice(0, SHOWN).map(({ userId, userName }) => (
        <Avatar key={userId} id={userId} name={userName} size="s" shape="team" />
      ))}
      {people.length > SHOWN && <span class="faces-more">+{people.length - SHOWN}</span>}
    </span>
  );
}
