import type { Socket } from "socket.io";
import { CLOSE, shouldReconnect } from "../protocol/close_codes.ts";
import { toParleyError } from "../protocol/errors.ts";
import { checkParsed } from "../protocol/json.ts";
import {
  type Place,
  type PlacedPacket,
  roomsText,
  withRooms,
} from "./protocols/socket_io_places.ts";
import type { Refusal } from "./protocols/socket_io.ts";
import { type RecoverySession, START } from "./recovery.ts";
import type { SocketData } from "./socket_io_adapter.ts";
import type { EngineSocket } from "./socketio/engine.ts";
import type { SocketLike } from "./writer.ts";

type NoEvents = Record<string, never>;
/** One of socket.io's, which is asked for nothing that it would emit or listen to by name. */
export type IoSocket = Socket<NoEvents, NoEvents, NoEvents, SocketData>;

/** The first argument is what paths are of; "content" is text that people type. */
const PARSING = { text: ["0.content"], root: "0" };

/** Levels of arrays and objects in the arguments of an event. */
const MAX_DEPTH = 32;

/** The engine's socket as a connection of the hub writes to it. */
export function socketLike(
  socket: IoSocket,
  engineSocket: EngineSocket,
  session: RecoverySession<Place>,
  { epoch, packetsIn }: { epoch: string; packetsIn: (text: string) => PlacedPacket[] },
): SocketLike {
  return {
    // What is sent after the transport was lost, until that is known, is remembered as missed.
    readyState: 1,
    get bufferedAmount() {
      return engineSocket.readyState === "open" ? engineSocket.bufferedAmount : 0;
    },
    send(text) {
      for (const { packet, place } of packetsIn(text)) {
        if (place !== null) session.note(place);
        const isPlaced = place !== null || isGreeting(packet);
        engineSocket.send(isPlaced ? withRooms(packet, roomsText(epoch, session.rooms)) : packet);
      }
    },
    close(code = CLOSE.normal.code) {
      // Told so, a client stays away; without a word, it comes back by itself.
      if (staysAway(code)) socket.disconnect(true);
      else engineSocket.close(code === CLOSE.slow.code);
    },
  };
}

/** Clients here come back within a second or two: too soon after these. */
function staysAway(code: number): boolean {
  const { rateLimited, authTimeout } = CLOSE;
  return !shouldReconnect(code) || code === rateLimited.code || code === authTimeout.code;
}

/** The credentials in a handshake; null where it has none. */
export function givenIn(
  auth: Record<string, unknown>,
): { token: unknown; sessionId: unknown } | null {
  const { token = null, sessionId = null } = auth;
  return token === null && sessionId === null ? null : { token, sessionId };
}

/** The arguments of an event, or why they cannot be taken. */
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

/** It has an offset that is no place: the one before everything. */
function isGreeting(packet: string): boolean {
  return packet.endsWith(GREETING_END);
}
