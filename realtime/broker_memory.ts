import type { Broker, BrokerListener } from "./broker.ts";

/** The broker of a single node: a broadcast is delivered in the same turn. */
export function createMemoryBroker(): Broker {
  const rooms = new Set<string>();
  let listener: BrokerListener = () => {};
  return {
    isSingleNode: true,
    connected: true,
    publish(broadcast) {
      if (rooms.has(broadcast.room)) listener(broadcast);
    },
    subscribe(room) {
      rooms.add(room);
      return undefined;
    },
    unsubscribe: (room) => void rooms.delete(room),
    onBroadcast(next) {
      listener = next;
    },
    publishToNodes() {},
    onNodeMessage() {},
    onGap() {},
    close() {
      rooms.clear();
      return Promise.resolve();
    },
  };
}
