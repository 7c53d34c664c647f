import type { Events, EventType } from "../protocol/native.ts";

/** One event in the hub, before a protocol encodes it. */
export type HubEvent = {
  [T in EventType]: { type: T; timestamp: string; data: Events[T] };
}[EventType];

/** An event for a room, published on one node and delivered to the members on every node. */
export interface Broadcast {
  room: string;
  /** null: agents do not receive it. */
  forAgents: HubEvent | null;
  /** null: visitors do not receive it. */
  forVisitors: HubEvent | null;
  /** A user who does not receive it, such as the one who types. */
  exceptUser?: string;
  /** A connection that does not receive it, such as the one that sent the edit. */
  exceptConnection?: string;
}

export type BrokerListener = (broadcast: Broadcast) => void;

/** Counted since the start. */
export interface BrokerStats {
  /** Times when other nodes could not be reached. */
  outages: number;
  /** Messages that could not be sent to other nodes; these were informed of a gap. */
  dropped: number;
}

/**
 * Carries broadcasts between the nodes of one installation. Delivery is at most once, and in the
 * order of publishing per room and node. What must not be lost is in the log, where clients read
 * it. A node's own broadcasts reach its listener in the same turn, whatever happens to other nodes.
 */
export interface Broker {
  /** There can be no other node, so nothing has to be sent. */
  readonly isSingleNode: boolean;
  /** False while other nodes cannot be reached; this node continues to work. */
  readonly connected: boolean;
  /** Absent where nothing between the nodes can fail. */
  readonly stats?: Readonly<BrokerStats>;
  publish(broadcast: Broadcast): void;
  /**
   * Starts to deliver broadcasts to the room to the listener. Those of other nodes are delivered
   * once the promise is resolved; undefined: from now on. The promise never rejects. While the
   * connection is lost it resolves at once, because a gap is reported when the connection is back.
   */
  subscribe(room: string): Promise<void> | undefined;
  unsubscribe(room: string): void;
  onBroadcast(listener: BrokerListener): void;
  /** Sends a message to every other node, in order. It has to be JSON. */
  publishToNodes(message: unknown): void;
  onNodeMessage(listener: (message: unknown) => void): void;
  /** Called after messages of other nodes may have been lost on the way to this one. */
  onGap(listener: () => void): void;
  /** Sends what waits, and ends. */
  close(): Promise<void>;
}
