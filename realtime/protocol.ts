import type { Audience } from "../domain/principal.ts";
import type { ParleyError } from "../protocol/errors.ts";
import type { Credentials } from "./authenticator.ts";
import type { HubEvent } from "./broker.ts";
import type { Connection } from "./connection.ts";

/** A wire form: translates between frames and the hub's commands and events, and nothing else. */
export interface Protocol {
  readonly name: string;
  /** Whether its clients take several messages in one frame, one a line. */
  readonly batching: boolean;
  /**
   * `asked`: a connection follows the conversations that it joins. `everything`: a visitor follows
   * their own conversation, and an agent the messages of all, without asking. `itself`: the same,
   * but the protocol sees to it, because it begins where its client left off.
   */
  readonly follows: "asked" | "everything" | "itself";
  /** The socket is open; greet. */
  onOpen(connection: Connection): void;
  /** The frame that a client would authenticate with, for credentials that came with the upgrade. */
  authFrame(credentials: Credentials): string;
  /**
   * Whether a frame that comes before credentials may wait a moment for them: where the protocol's
   * document lets a client send its queue first. Absent: never.
   */
  mayWait?(frame: string): boolean;
  /** One frame. Calls for one connection never overlap, but for a ping that overtakes. */
  onFrame(connection: Connection, frame: string): Promise<void>;
  /**
   * The wire form of an event, or null where this protocol has none for it. `room` is the one that
   * brings it, null for an event to this connection alone: where several rooms of a connection bring
   * the same event, the protocol says which of them counts. `audience` is who receives it.
   */
  encode(event: HubEvent, room: string | null, audience: Audience): string | null;
  /** The wire form of an error that answers no command. */
  encodeError(error: ParleyError): string;
  /**
   * The wire forms of an error about a frame that was refused unread: one for each command in it
   * whose sender can be told which it was, none where nothing in it can be named. Default: none.
   */
  encodeRefusals?(error: ParleyError, frame: string): string[];
}
