import type { Events, EventType } from "../protocol/native.ts";

/** One event as the hub knows it, before any protocol has given it a wire form. */
export type HubEvent = {
  [T in EventType]: { type: T; timestamp: string; data: Events[T] };
}[EventType];

/** What travels from the node where something happened to every node with a member of the room. */
export interface Broadcast {
  room: string;
  /** null: agents do not get it. */
  forAgents: HubEvent | null;
  /** null: visitors do not get it. */
  forVisitors: HubEvent | null;
  /** A user who does not get it back, such as the one who types. */
  exceptUser?: string;
}

export type BrokerListener = (broadcast: Broadcast) => void;

/**
 * Carries broadcasts between the nodes of one installation. Delivery is at most once and in the
 * order of publishing per room; what must not be lost is in the log, where clients find it.
 */
export interface Broker {
  publish(broadcast: Broadcast): void;
  /** From now on broadcasts to the room reach the listener. */
  subscribe(room: string): void;
  unsubscribe(room: string): void;
  listen(listener: BrokerListener): void;
  close(): Promise<void>;
}
