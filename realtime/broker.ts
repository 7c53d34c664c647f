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
  /** A connection that does not get it back, such as the one that it came over. */
  exceptConnection?: string;
}

export type BrokerListener = (broadcast: Broadcast) => void;

/** Since the start. */
export interface BrokerTroubles {
  /** Times when other nodes could not be reached. */
  outages: number;
  /** What could not be told to them; they were told that something was lost. */
  dropped: number;
}

/**
 * Carries broadcasts between the nodes of one installation. Delivery is at most once and in the
 * order of publishing per room and node; what must not be lost is in the log, where clients find
 * it. A node's own broadcasts reach its listener in the same turn, whatever happens to the others.
 */
export interface Broker {
  /** True: there can be no other node, so that nothing has to be told to any. */
  readonly alone: boolean;
  /** False while other nodes cannot be reached; what happens on this one goes on. */
  readonly connected: boolean;
  /** Absent where nothing is between the nodes that could be away. */
  readonly troubles?: Readonly<BrokerTroubles>;
  publish(broadcast: Broadcast): void;
  /**
   * From now on broadcasts to the room reach the listener; those of other nodes from the moment on
   * when the promise resolves. It never rejects: while the connection is lost it resolves at once,
   * because a gap is told when it is back. undefined: at once.
   */
  subscribe(room: string): Promise<void> | undefined;
  unsubscribe(room: string): void;
  listen(listener: BrokerListener): void;
  /** To every other node, in the order of telling. JSON. */
  tell(message: unknown): void;
  listenToNodes(listener: (message: unknown) => void): void;
  /** Called after something of other nodes may have been lost on the way to this one. */
  onGap(listener: () => void): void;
  /** Sends what waits, and ends. */
  close(): Promise<void>;
}
