import { CLOSE } from "../../protocol/close_codes.ts";
import { readCredentials } from "../../protocol/credentials.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Acks } from "../../protocol/native.ts";
import { hashSecret } from "../../domain/secrets.ts";
import type { Connection } from "../connection.ts";
import { START } from "../recovery.ts";
import { eventText, presenceData, ROLE } from "./socket_io_events.ts";
import { follow, followAgain } from "./socket_io_join.ts";
import { type Answer, type SocketIoOptions, takeCame } from "./socket_io_peer.ts";
import { type Place, SEPARATOR } from "./socket_io_places.ts";

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
 * Authenticates a connection, and begins: an agent gets what concerns all conversations, a visitor
 * their own. Who recovers a connection goes on with what that one followed.
 *
 * @param given nothing: a recovered connection is who it was
 */
export async function enter(
  options: SocketIoOptions,
  connection: Connection,
  given: Given | null,
): Promise<Answer> {
  const peer = options.peerOf(connection);
  const { principal: before } = peer.session;
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
  const came = ownConversation === null ? undefined : takeCame(peer, ownConversation);
  const brought = isAgent
    ? peer.brought
    : peer.brought.filter(({ conversationId }) => conversationId === ownConversation);
  // Told with the very first packet: a connection that is cut now has to be in them again.
  for (const { conversationId, seq } of brought) peer.session.returning.set(conversationId, seq);
  peer.brought = [];
  const greet = () => connection.send(eventText("authenticated", answer, START));
  if (isAgent) {
    await options.followAll(connection);
    greet();
    await followAgain(options, connection, brought);
  } else if (ownConversation === null) {
    greet();
  } else {
    const [own] = came === undefined ? brought : [];
    const position = own ?? positionOf(came);
    await follow(options, connection, ownConversation, position, (_joined, missed) => {
      const followed = peer.session.following.get(ownConversation)!;
      if (missed !== null && came?.isFollowed) followed.at = came.seq;
      greet();
      const rest = missed === null || came === undefined ? missed : behind(missed, came);
      if (rest) connection.send(rest);
    });
  }
  // The official client of today says this nowhere where the documents listen for it.
  if (peer.comesBack) connection.send(eventText("reconnect", 1));
  return answer;
}

/** Of the packets of one entry the first may have arrived without the others. */
function positionOf(came: Place | undefined): { epoch?: string; seq?: number } {
  return came === undefined ? {} : { epoch: came.epoch, seq: came.seq - 1 };
}

/** What of joined packets stands behind the one with that offset; all of it where there is none. */
function behind(text: string, { offset }: Place): string {
  const packets = text.split(SEPARATOR);
  const index = packets.findIndex((packet) => packet.endsWith(`"${offset}"]`));
  return packets.slice(index + 1).join(SEPARATOR);
}

/** `authenticate` once more, perhaps with a new token: refused, it leaves everything as it is. */
export async function renew(
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
