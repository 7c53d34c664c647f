/**
 * Domain events about people and their rights, delivered on every node. Code that acts on open
 * connections subscribes here, because the connections may be on another node than the change.
 */
import type { DomainEvent, DomainEvents, EventBus } from "../domain/events.ts";
import type { Nodes } from "./nodes.ts";

const FORWARDED = [
  "user.updated",
  "user.ended",
  "sign_in.ended",
  "session.ended",
  "contact.updated",
  "contact.blocked",
  "widget.updated",
  "conversation.opened",
] as const satisfies DomainEvent[];

type Forwarded = (typeof FORWARDED)[number];

export interface ClusterEvents {
  /** @param listener `isLocal`: the event happened on this node */
  on<T extends Forwarded>(
    type: T,
    listener: (event: DomainEvents[T], isLocal: boolean) => void,
  ): void;
}

export function createClusterEvents(
  bus: EventBus,
  nodes: Nodes,
  onError: (error: unknown) => void,
): ClusterEvents {
  const listeners = new Map<Forwarded, ((event: never, isLocal: boolean) => void)[]>();

  function emit(type: Forwarded, event: DomainEvents[Forwarded], isLocal: boolean): void {
    for (const listener of listeners.get(type) ?? []) {
      try {
        (listener as (event: unknown, isLocal: boolean) => void)(event, isLocal);
      } catch (error) {
        onError(error);
      }
    }
  }

  for (const type of FORWARDED) {
    bus.on(type, (event) => {
      emit(type, event, true);
      nodes.publish(`event ${type}`, event);
    });
    nodes.subscribe(
      `event ${type}`,
      (event) => emit(type, event as DomainEvents[Forwarded], false),
    );
  }
  return {
    on(type, listener) {
      listeners.set(type, [...listeners.get(type) ?? [], listener]);
    },
  };
}
