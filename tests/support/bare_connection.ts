import { Connection } from "../../realtime/connection.ts";
import type { ConnectionOptions } from "../../realtime/connection_options.ts";

type Options = ConnectionOptions<Connection>;

let number = 0;

/** A connection on a socket of the test's own, with room for everything; no server is behind it. */
export function bareConnection(
  options: Pick<Options, "socket" | "protocol" | "events"> & Partial<Options>,
): Connection {
  number++;
  return new Connection({
    id: `${number}`,
    number,
    limits: {
      fileBytes: 0,
      messageBytes: 1000,
      preAuthBytes: 1000,
      preAuthMessages: 10,
      queueBytes: 1_000_000,
      pendingFrames: 10,
      messagesPerMinute: 100,
      typingPerMinute: 100,
      editsPerMinute: 100,
      cursorsPerMinute: 100,
      subscriptions: 10,
    },
    address: "127.0.0.1",
    origin: null,
    selfOrigin: "",
    ...options,
  });
}
