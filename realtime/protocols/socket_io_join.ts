import { CLOSE } from "../../protocol/close_codes.ts";
import { toParleyError } from "../../protocol/errors.ts";
import type { JoinResult, LoggedEvent } from "../../protocol/native.ts";
import { audienceOf } from "../../domain/principal.ts";
import type { Connection } from "../connection.ts";
import { ROOMS } from "../rooms.ts";
import { eventText, isShown, messageData } from "./socket_io_events.ts";
import {
  type Answer,
  encodeEvent,
  type SocketIoOptions,
  takeLastReceived,
} from "./socket_io_peer.ts";
import { type FollowedRoom, markerOf, SEPARATOR } from "./socket_io_positions.ts";
import type { ClientData } from "./socket_io_schemas.ts";

/** Messages in the answer to a join that is acknowledged. */
const LATEST = 50;

interface Position {
  epoch?: string | undefined;
  seq?: number | undefined;
}

/**
 * Follows a conversation from a position on. `accept` sends the answer and `missed`: the packets
 * after the position, null if they cannot all be sent. Then new broadcasts follow.
 *
 * @param isKnown whether the entry at that seq was sent on this connection already
 */
export async function follow(
  options: Pick<SocketIoOptions, "commands" | "peerOf" | "epoch">,
  connection: Connection,
  conversationId: string,
  position: Position,
  accept: (joined: JoinResult, missed: string | null) => void,
  isKnown: (seq: number) => boolean = () => false,
): Promise<void> {
  const { following } = options.peerOf(connection).state;
  const wasIn = connection.rooms.has(ROOMS.conversation(conversationId));
  const command = { conversationId, members: "none", limit: LATEST, ...position } as const;
  try {
    await options.commands.join(connection, command, (joined) => {
      const missed = joined.recovered
        ? textOf(options.epoch, connection, joined.events, isKnown)
        : null;
      const known = following.get(conversationId)?.from ?? Infinity;
      const from = missed === null ? joined.seq : Math.min(known, position.seq!);
      // The positions in an offset must not be ahead of the packets that are sent before it.
      const followed = { from, at: missed === null ? joined.seq : position.seq! };
      following.set(conversationId, followed);
      accept(joined, missed);
      followed.at = Math.max(followed.at, joined.seq);
    });
  } catch (error) {
    following.delete(conversationId);
    // It followed the conversation, and would now miss events without noticing.
    if (wasIn) connection.close(CLOSE.internal);
    throw error;
  }
}

/** One text, so that much missed does not count as a slow reader; null if it is too long. */
function textOf(
  epoch: string,
  connection: Connection,
  events: LoggedEvent[],
  isKnown: (seq: number) => boolean,
): string | null {
  const audience = audienceOf(connection.principal!);
  const texts = events.flatMap((event) => {
    const { conversationId, seq } = event.data as { conversationId: string; seq: number };
    if (isKnown(seq)) return [];
    return encodeEvent(epoch, event, ROOMS.conversation(conversationId), audience) ?? [];
  });
  const text = texts.join(SEPARATOR);
  return text.length > connection.limits.queueBytes ? null : text;
}

/**
 * `join_conversation`. With a position, in the command or of the previous connection, missed events
 * follow. A client that has joined already continues from its position.
 */
export async function joinConversation(
  options: Pick<SocketIoOptions, "commands" | "peerOf" | "epoch">,
  connection: Connection,
  data: ClientData<"join_conversation">,
  accept: (answer: Answer) => void,
  isAcknowledged: boolean,
): Promise<void> {
  const { conversationId } = data;
  const { epoch } = options;
  const peer = options.peerOf(connection);
  const own = peer.state.following.get(conversationId);
  const asked = "after" in data && data.after !== undefined
    ? { epoch: data.epoch ?? epoch, seq: data.after }
    : undefined;
  const last = own === undefined && asked === undefined
    ? takeLastReceived(peer, conversationId)
    : undefined;
  const begin = last ?? (own === undefined ? undefined : { epoch, seq: own.at });
  // Messages before the first event, so that no message is in both.
  const latest = asked === undefined && begin !== undefined && isAcknowledged
    ? await options.commands.history(
      connection,
      { conversationId, before: begin.seq + 1, limit: LATEST, publicOnly: true },
      () => {},
    )
    : undefined;
  const position = asked ?? begin;
  await follow(
    options,
    connection,
    conversationId,
    { epoch: position?.epoch, seq: position?.seq },
    (joined, missed) => {
      const { messages = [], hasMore = false } = latest ?? joined.snapshot ?? {};
      const isContinued = asked !== undefined || last !== undefined ||
        peer.caughtUp.delete(conversationId);
      const recovered = missed !== null && isContinued;
      const answer = { conversationId, epoch: joined.epoch, seq: joined.seq, recovered };
      connection.send(eventText("joined_conversation", answer, markerOf(peer.nextMarker++)));
      accept({ ...answer, messages: messages.filter(isShown).map(messageData), hasMore });
      if (missed) connection.send(missed);
    },
    own === undefined ? undefined : (seq) => own.from < seq && seq <= own.at,
  );
}

/**
 * Follows the conversations of a previous connection that this server does not know, each from its
 * last position. One that the client may not see any more is left.
 */
export async function followAgain(
  options: Pick<SocketIoOptions, "commands" | "peerOf" | "epoch" | "onUnexpected">,
  connection: Connection,
  rooms: readonly FollowedRoom[],
): Promise<void> {
  const peer = options.peerOf(connection);
  const { pendingRejoins } = peer.state;
  await Promise.all(rooms.map(async ({ conversationId, ...position }) => {
    try {
      await follow(options, connection, conversationId, position, (joined, missed) => {
        pendingRejoins.delete(conversationId);
        const { epoch, seq } = joined;
        const answer = { conversationId, epoch, seq, recovered: missed !== null };
        if (missed !== null) peer.caughtUp.add(conversationId);
        connection.send(eventText("joined_conversation", answer, markerOf(peer.nextMarker++)));
        if (missed) connection.send(missed);
      });
    } catch (thrown) {
      pendingRejoins.delete(conversationId);
      const error = toParleyError(thrown);
      if (error.code === "internal") options.onUnexpected(thrown, connection);
      const left = eventText("left_conversation", { conversationId }, markerOf(peer.nextMarker++));
      connection.send(left);
    }
  }));
}
