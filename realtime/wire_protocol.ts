import type { Audience } from "../domain/principal.ts";
import type { ParleyError } from "../protocol/errors.ts";
import type { Credentials } from "./credentials.ts";
import type { HubEvent } from "./broker.ts";

/**
 * A wire protocol: translates between frames and the hub's commands and events. `Connection` is the
 * class of connection.ts, which needs this interface itself.
 */
export interface WireProtocol<Connection> {
  readonly name: string;
  /** Whether several messages may share a frame, one on each line. */
  readonly batching: boolean;
  /**
   * `asked`: a connection follows the conversations that it joins. `everything`: a visitor follows
   * their own conversation, and an agent the messages of all, without a command. `itself`: the
   * same, but the protocol does it, because it starts at its client's position.
   */
  readonly follows: "asked" | "everything" | "itself";
  /** The socket is open; sends the protocol's greeting. */
  onOpen(connection: Connection): void;
  /** The frame with which a client would send the credentials that came with the upgrade. */
  authFrame(credentials: Credentials): string;
  /**
   * Whether a frame that is sent before the credentials may wait a moment for them, because clients
   * of this protocol send their queue first. Absent: never.
   */
  mayWait?(frame: string): boolean;
  /**
   * One frame. Calls for one connection do not overlap, except for a ping that is handled early.
   */
  onFrame(connection: Connection, frame: string): Promise<void>;
  /**
   * The event encoded, or null if this protocol does not have it. `room` is the room that delivers
   * it, null for an event to this connection alone: if several rooms deliver the same event to one
   * connection, the protocol decides which of them is used. `audience` is who receives it.
   */
  encode(event: HubEvent, room: string | null, audience: Audience): string | null;
  /** An error that answers no command, encoded. */
  encodeError(error: ParleyError): string;
  /**
   * An error about a frame that was refused before it was parsed, encoded once for each command in
   * it whose id can be read. Default: none.
   */
  encodeRefusals?(error: ParleyError, frame: string): string[];
}
