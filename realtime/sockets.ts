import { CLOSE } from "../protocol/close_codes.ts";
import type { Connection } from "./connection.ts";
import type { Protocol } from "./protocol.ts";
import type { PeerInfo, UpgradedSocket } from "./upgrade.ts";
import type { SocketLike } from "./writer.ts";

export interface SocketsOptions {
  connect: (socket: SocketLike, protocol: Protocol, from: PeerInfo) => Connection;
  opened: (connection: Connection) => void;
  onError: (error: unknown, connection: Connection) => void;
}

export interface Sockets {
  /** All sockets, also those that the server has closed and whose peer has not. */
  readonly size: number;
  accept(upgraded: UpgradedSocket): void;
}

/** The runtime's sockets and their connections, from the upgrade until the sockets are gone. */
export function createSockets({ connect, opened, onError }: SocketsOptions): Sockets {
  const connections = new Map<EventTarget | null, Connection>();

  /** One listener for all sockets: thousands of sockets share the same few functions. */
  function listener<E extends Event>(handle: (connection: Connection, event: E) => void) {
    return (event: E) => {
      // The runtime may emit "close" twice.
      const connection = connections.get(event.target);
      if (connection === undefined) return;
      try {
        handle(connection, event);
      } catch (error) {
        // An exception in a socket's callback would end the process.
        onError(error, connection);
        connection.close(CLOSE.internal);
      }
    };
  }
  const onMessage = listener<MessageEvent>((connection, { data }) => connection.receive(data));
  const onSocketError = listener<Event>((connection) => connection.end());
  const onClose = listener<CloseEvent>((connection, { code, target }) => {
    connections.delete(target);
    // Only now: a socket that the server has closed takes memory until its peer closes it, too.
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
      socket.addEventListener("error", onSocketError);
    },
  };
}
