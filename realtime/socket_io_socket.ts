import type { Socket } from "socket.io";
import { CLOSE, shouldReconnect } from "../protocol/close_codes.ts";
import { toParleyError } from "../protocol/errors.ts";
import { checkParsed } from "../protocol/json.ts";
import type { EngineSocket } from "../engineio/mod.ts";
import {
  type PacketPosition,
  type PositionedPacket,
  roomsText,
  withRooms,
} from "./protocols/socket_io_positions.ts";
import type { Refusal } from "./protocols/socket_io.ts";
import { type RecoveryState, START } from "./recovery_state.ts";
import type { SocketData } from "./socket_io_adapter.ts";
import type { SocketLike } from "./writer.ts";

type NoEvents = Record<string, never>;
/** socket.io's socket. Its own typed events are not used. */
export type IoSocket = Socket<NoEvents, NoEvents, NoEvents, SocketData>;

/** Paths start at the first argument; "content" is text that people type. */
const PARSING = { text: ["0.content"], root: "0" };

/** Levels of arrays and objects in the arguments of an event. */
const MAX_DEPTH = 32;

/** What a connection of the hub writes to. */
export function socketLike(
  socket: IoSocket,
  engineSocket: EngineSocket,
  state: RecoveryState<PacketPosition>,
  { epoch, packetsIn }: { epoch: string; packetsIn: (text: string) => PositionedPacket[] },
): SocketLike {
  return {
    // Always open: what is sent before a lost transport is noticed counts as missed.
    readyState: 1,
    get bufferedAmount() {
      return engineSocket.readyState === "open" ? engineSocket.bufferedAmount : 0;
    },
    send(text) {
      for (const { packet, position } of packetsIn(text)) {
        if (position !== null) state.positionSent(position);
        const hasOffset = position !== null || isGreeting(packet);
        engineSocket.send(hasOffset ? withRooms(packet, roomsText(epoch, state.rooms)) : packet);
      }
    },
    close(code = CLOSE.normal.code) {
      // A client that receives a disconnect packet does not reconnect; otherwise it does.
      if (mustNotReconnect(code)) socket.disconnect(true);
      else engineSocket.close(code === CLOSE.slow.code);
    },
  };
}

/** Socket.IO clients reconnect within a second or two, which is too soon after these codes. */
function mustNotReconnect(code: number): boolean {
  const { rateLimited, authTimeout } = CLOSE;
  return !shouldReconnect(code) || code === rateLimited.code || code === authTimeout.code;
}

/** The credentials in a handshake; null if it has none. */
export function credentialsIn(
  auth: Record<string, unknown>,
): { token: unknown; sessionId: unknown } | null {
  const { token = null, sessionId = null } = auth;
  return token === null && sessionId === null ? null : { token, sessionId };
}

/** The arguments of an event, or why they are refused. */
export function argumentsOf(args: unknown[]): { args: unknown[]; refused?: Refusal } {
  const message = refusalOf(args);
  if (message !== null) {
    return { args: [], refused: { code: "bad_frame", message, fields: undefined } };
  }
  try {
    return { args: checkParsed(args, PARSING) as unknown[] };
  } catch (error) {
    const { code, message, fields } = toParleyError(error);
    return {
      args: [],
      refused: { code: code === "bad_json" ? "bad_frame" : code, message, fields },
    };
  }
}

function refusalOf(value: unknown, depth = 0): string | null {
  if (typeof value !== "object" || value === null) return null;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return "Cannot read the event: binary arguments are not used";
  }
  if (depth > MAX_DEPTH) return `Cannot read the event: it is nested deeper than ${MAX_DEPTH}`;
  for (const entry of Object.values(value)) {
    const refusal = refusalOf(entry, depth + 1);
    if (refusal !== null) return refusal;
  }
  return null;
}

const GREETING_END = `,"${START}"]`;

/** The first packet's offset is not a position in a log. */
function isGreeting(packet: string): boolean {
  return packet.endsWith(GREETING_END);
}
