/**
 * What the members of a room receive of some broadcasts: encoded once for each protocol and
 * audience.
 */
import { type Audience } from "../domain/principal.ts";
import type { Tracing } from "../domain/tracing.ts";
import type { Broadcast } from "./broker.ts";
import type { Connection } from "./connection.ts";
import type { Protocol } from "./protocol.ts";

/** For all members with the same protocol and audience. */
export interface Encoded {
  /** One for each broadcast; null: nothing is sent. */
  lines: (string | null)[];
  frames: string[];
}

export function encodeAll(
  protocol: Protocol,
  audience: Audience,
  broadcasts: readonly Broadcast[],
): Encoded {
  const lines = broadcasts.map(({ forAgents, forVisitors, room }) => {
    const event = audience === "agents" ? forAgents : forVisitors;
    return event === null ? null : protocol.encode(event, room, audience);
  });
  return { lines, frames: toFrames(protocol, lines) };
}

export function toFrames({ batching }: Protocol, lines: readonly (string | null)[]): string[] {
  const some = lines.filter((line) => line !== null);
  return batching && some.length > 1 ? [some.join("\n")] : some;
}

/** Whether the connection must not receive the broadcast. */
export function isExcepted({ id, principal }: Connection, broadcast: Broadcast): boolean {
  const { exceptUser, exceptConnection } = broadcast;
  return (exceptUser !== undefined && exceptUser === principal?.userId) ||
    (exceptConnection !== undefined && exceptConnection === id);
}

/** The span has the kind of the room, not its name. */
export function traceFanOut(
  to: Tracing,
  broadcasts: Broadcast[],
  receivers: number,
  ms: number,
): void {
  const { room, forAgents, forVisitors } = broadcasts[0]!;
  const event = (forAgents ?? forVisitors)!.type;
  to.past("broadcast", {
    "parley.event": event,
    "parley.room": room.split(":", 1)[0]!,
    "parley.size": broadcasts.length,
    "parley.receivers": receivers,
  }, ms);
}
