import { CLOSE } from "../protocol/close_codes.ts";
import type { Connection } from "./connection.ts";
import type { Protocol } from "./protocol.ts";
import type { Accepted } from "./upgrade.ts";
import type { SocketLike } from "./writer.ts";

export interface SocketsOptions {
  connect: (socket: SocketLike, protocol: Protocol, from: Accepted["from"]) => Connection;
  opened: (connection: Connection) => void;
  onError: (error: unknown, connection: Connection) => void;
}

export interface Sockets {
  /** How many there are, those included that the server has ended and whose peer holds on. */
  readonly size: number;
  accept(accepted: Accepted): void;
}

/** The runtime's sockets and the connections behind them, from the upgrade until they are gone. */
export function createSockets({ connect, opened, onError }: SocketsOptions): Sockets {
  const connections = new Map<EventTarget | null, Connection>();

  /** Of a socket and all others alike: ten thousand have the same few functions. */
  function listener<E extends Event>(handle: (connection: Connection, event: E) => void) {
    return (event: E) => {
      // The runtime may say twice that a socket is closed.
      const connection = connections.get(event.target);
      if (connection === undefined) return;
      try {
        handle(connection, event);
      } catch (error) {
        // A throw in a socket's callback would end the process.
        onError(error, connection);
        connection.close(CLOSE.internal);
      }
    };
  }
  const onMessage = listener<MessageEvent>((connection, { data }) => connection.receive(data));
  const onBroken = listener<Event>((connection) => connection.end());
  const onClose = listener<CloseEvent>((connection, { code, target }) => {
    connections.delete(target);
    // Not before: a socket that was ended and whose peer holds on still takes up memory.
    connection.slot.release();
    connection.peerClosedWith = code;
    connection.end();
  });

  return {
    get size() {
      return connections.size;
    },
    accept({ socket, protocol, from, credentials, refused }) {
      const connection = connect(socket, protocol, from);
      connections.set(socket, connection);
      const onOpen = listener<Event>(() => {
        if (refused !== null) {
          connection.fail(refused, CLOSE.rateLimited);
          return;
        }
        opened(connection);
        if (credentials !== null) connection.receive(protocol.authFrame(credentials));
      });
      socket.addEventListener("open", onOpen, { once: true });
      socket.addEventListener("message", onMessage);
      socket.addEventListener("close", onClose);
      socket.addEventListener("error", onBroken);
    },
  };
}
