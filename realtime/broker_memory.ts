import type { Broker, BrokerListener } from "./broker.ts";

/** The broker of a single node: what is published is delivered in the same turn. */
export function createMemoryBroker(): Broker {
  const rooms = new Set<string>();
  let listener: BrokerListener = () => {};
  return {
    publish(broadcast) {
      if (rooms.has(broadcast.room)) listener(broadcast);
    },
    subscribe: (room) => void rooms.add(room),
    unsubscribe: (room) => void rooms.delete(room),
    listen(next) {
      listener = next;
    },
    close() {
      rooms.clear();
      return Promise.resolve();
    },
  };
}
