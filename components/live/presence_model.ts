import { signal } from "@preact/signals";
import type { Presence } from "../../protocol/model.ts";
import type { PresenceState } from "../ui/Avatar.tsx";

export type PresenceModel = ReturnType<typeof createPresence>;

/** Who is online, by user or contact id. Unknown people are offline. */
export function createPresence() {
  const people = signal<ReadonlyMap<string, Presence>>(new Map());
  return {
    /** Replaces everything with the answer to `auth`. */
    reset(all: readonly Presence[]) {
      people.value = new Map(all.map((one) => [one.userId, one]));
    },
    receive(presence: Presence) {
      const next = new Map(people.value);
      if (presence.status === "offline") next.delete(presence.userId);
      else next.set(presence.userId, presence);
      people.value = next;
    },
    of: (id: string): Presence | undefined => people.value.get(id),
    statusOf: (id: string): PresenceState => people.value.get(id)?.status ?? "offline",
  };
}
