import { CLOSE } from "../../protocol/close_codes.ts";
import { readCredentials } from "../../protocol/credentials.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Acks } from "../../protocol/native.ts";
import { hashSecret } from "../../domain/secrets.ts";
import type { Connection } from "../connection.ts";
import { START } from "../recovery_state.ts";
import { eventText, presenceData, ROLE } from "./socket_io_events.ts";
import { follow, followAgain } from "./socket_io_join.ts";
import { type Answer, type SocketIoOptions, takeLastReceived } from "./socket_io_peer.ts";
import { type PacketPosition, SEPARATOR } from "./socket_io_positions.ts";

export type Given = Record<string, unknown>;

function authenticated(
  connection: Connection,
  { presence, expiresAt }: Partial<Acks["auth"]>,
): Answer {
  const principal = connection.principal!;
  const isAgent = principal.kind === "agent";
  return {
    userId: principal.userId,
    userName: principal.userName,
    role: ROLE[principal.kind],
    email: isAgent ? principal.email ?? null : null,
    ...(isAgent ? {} : { conversationId: connection.ownConversation }),
    expiresAt: expiresAt ?? null,
    ...(presence === undefined ? {} : { presence: presence.map(presenceData) }),
  };
}

/**
 * The first authentication of a connection. After it an agent receives what concerns all
 * conversations, and a visitor their own. A recovered connection continues with what it followed.
 *
 * @param given null: a recovered connection keeps its principal
 */
export async function authenticateFirst(
  options: SocketIoOptions,
  connection: Connection,
  given: Given | null,
): Promise<Answer> {
  const peer = options.peerOf(connection);
  const { principal: before } = peer.state;
  const credentials = given === null && before !== null
    ? { recovered: before }
    : readCredentials(given ?? {});
  const answer = authenticated(connection, await options.authenticate(connection, credentials));
  if (before !== null) {
    if (connection.principal!.userId !== before.userId) {
      throw new ParleyError("forbidden", "Cannot go on: the connection was somebody else's");
    }
    if (given !== null) connection.send(eventText("authenticated", answer));
    if (!options.resume(connection)) connection.close(CLOSE.slow);
    return answer;
  }
  const { ownConversation } = connection;
  const isAgent = connection.principal!.kind === "agent";
  const last = ownConversation === null ? undefined : takeLastReceived(peer, ownConversation);
  const rooms = isAgent
    ? peer.previousRooms
    : peer.previousRooms.filter(({ conversationId }) => conversationId === ownConversation);
  // In the offset of the first packet: a connection that is interrupted now must follow them again.
  for (const { conversationId, seq } of rooms) {
    peer.state.pendingRejoins.set(conversationId, seq);
  }
  peer.previousRooms = [];
  const greet = () => connection.send(eventText("authenticated", answer, START));
  if (isAgent) {
    await options.followAll(connection);
    greet();
    await followAgain(options, connection, rooms);
  } else if (ownConversation === null) {
    greet();
  } else {
    const [own] = last === undefined ? rooms : [];
    const position = own ?? positionOf(last);
    await follow(options, connection, ownConversation, position, (_joined, missed) => {
      const followed = peer.state.following.get(ownConversation)!;
      if (missed !== null && last?.isFollowed) followed.at = last.seq;
      greet();
      const rest = missed === null || last === undefined ? missed : packetsAfter(missed, last);
      if (rest) connection.send(rest);
    });
  }
  // The documented clients listen for this event on the socket, where today's client does not emit
  // it.
  if (peer.isReconnect) connection.send(eventText("reconnect", 1));
  return answer;
}

/** One entry before the last packet: other packets of the same entry may not have arrived. */
function positionOf(last: PacketPosition | undefined): { epoch?: string; seq?: number } {
  return last === undefined ? {} : { epoch: last.epoch, seq: last.seq - 1 };
}

/** The joined packets after the one with that offset; all of them if there is none. */
function packetsAfter(text: string, { offset }: PacketPosition): string {
  const packets = text.split(SEPARATOR);
  const index = packets.findIndex((packet) => packet.endsWith(`"${offset}"]`));
  return packets.slice(index + 1).join(SEPARATOR);
}

/** A second `authenticate`, maybe with a new token. If it is refused, nothing changes. */
export async function authenticateAgain(
  { commands }: Pick<SocketIoOptions, "commands">,
  connection: Connection,
  given: Given,
): Promise<Answer> {
  const { token, sessionId } = readCredentials(given);
  const principal = connection.principal!;
  let expiresAt = principal.expiresAt === null ? null : new Date(principal.expiresAt).toISOString();
  if (token !== undefined) {
    ({ expiresAt } = await commands.refresh(connection, { token }, () => {}));
  } else if (
    principal.kind !== "visitor" || await hashSecret(sessionId!) !== principal.sessionHash
  ) {
    throw new ParleyError("conflict", "Cannot authenticate: the connection is somebody else's");
  }
  const answer = authenticated(connection, { expiresAt });
  connection.send(eventText("authenticated", answer));
  return answer;
}
