/**
 * What the domain says about people and their rights, as it is heard on every node: what acts on
 * open connections listens here, because the connections may be on another node than the change.
 */
import type { DomainEvent, DomainEvents, EventBus } from "../domain/events.ts";
import type { Nodes } from "./nodes.ts";

const CARRIED = [
  "user.updated",
  "user.ended",
  "sign_in.ended",
  "session.ended",
  "contact.updated",
  "widget.updated",
  "conversation.opened",
] as const satisfies DomainEvent[];

type Carried = (typeof CARRIED)[number];

export interface Everywhere {
  /** `isHere`: it happened on this node. */
  on<T extends Carried>(
    type: T,
    listener: (event: DomainEvents[T], isHere: boolean) => void,
  ): void;
}

export function createEverywhere(
  bus: EventBus,
  nodes: Nodes,
  onError: (error: unknown) => void,
): Everywhere {
  const listeners = new Map<Carried, ((event: never, isHere: boolean) => void)[]>();

  function emit(type: Carried, event: DomainEvents[Carried], isHere: boolean): void {
    for (const listener of listeners.get(type) ?? []) {
      try {
        (listener as (event: unknown, isHere: boolean) => void)(event, isHere);
      } catch (error) {
        onError(error);
      }
    }
  }

  for (const type of CARRIED) {
    bus.on(type, (event) => {
      emit(type, event, true);
      nodes.tell(`event ${type}`, event);
    });
    nodes.hear(`event ${type}`, (event) => emit(type, event as DomainEvents[Carried], false));
  }
  return {
    on(type, listener) {
      listeners.set(type, [...listeners.get(type) ?? [], listener]);
    },
  };
}
