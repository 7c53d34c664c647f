import type { Slot } from "../../domain/capacity.ts";
import type { Peer, PeerReader } from "../address.ts";
import type { TimerWheel } from "../timer_wheel.ts";
import type { Emitter } from "./emitter.ts";
import type { EngineErrorName } from "./responses.ts";

export interface EngineOptions {
  /** Where the engine answers; with and without the slash at the end. Default "/socket.io/". */
  path?: string;
  /** Milliseconds from a client's pong to the next ping. */
  pingIntervalMs: number;
  /** Milliseconds that a client has to answer a ping. */
  pingTimeoutMs: number;
  /** Bytes of a POST body or of a websocket message that a client may send. */
  maxPayload: number;
  /** Milliseconds that a client has to complete a change from polling to websocket. */
  upgradeTimeoutMs: number;
  /** Bytes waiting for a peer past which the next send closes its session instead. */
  maxBufferedBytes: number;
  /** Sessions at a time; more are refused with 503. Default 100,000. */
  maxSessions?: number;
  /** Whose ticks the engine's timers are. Default: a wheel of its own. */
  wheel?: TimerWheel;
  /** Where a request comes from. Default: no proxy is trusted. */
  peer?: PeerReader;
  /** Told of everything that a listener or a callback throws; the engine goes on. */
  onError: (error: unknown, context: Record<string, unknown>) => void;
  /** Asked once for each new session; a response is a refusal. */
  allow: (request: Request, peer: Peer) => Promise<Response | null>;
  /**
   * Counts what is not authenticated yet: a new session, and a websocket that a session may change
   * to. Throws where there is no room, which `refused` answers. Default: nothing is counted.
   */
  takeSlot?: (peer: Peer) => Slot;
  refused?: (error: unknown) => Response;
  /** Told of requests that no session is made of, and what they sent in place of what is needed. */
  onRefused?: (name: EngineErrorName, request: Request, peer: Peer, sent: string | null) => void;
  /** Whether pages of this origin may read the answers, with credentials. */
  cors: (origin: string | null, peer: Peer) => boolean | Promise<boolean>;
}

/** What is kept of the request that opened a session, in the form that socket.io reads. */
export interface EngineRequest {
  readonly method: string;
  /** Path and query, as in node:http. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** The same as `query`, under the name that socket.io's handshake takes it from. */
  readonly _query: Readonly<Record<string, string>>;
  readonly address: string;
  readonly origin: string | null;
  /** "https://host" under which the client reached this server. */
  readonly selfOrigin: string;
  readonly isLoopback: boolean;
  /** For socket.io's `handshake.secure`. */
  readonly connection: { readonly encrypted: boolean };
}

export type PacketType = "open" | "close" | "ping" | "pong" | "message" | "upgrade" | "noop";

export interface Packet {
  type: PacketType;
  data?: string | Uint8Array<ArrayBuffer>;
}

export type TransportName = "polling" | "websocket";

export interface EngineTransport {
  readonly name: TransportName;
  /** Whether a packet sent now leaves at once: what socket.io asks before a volatile one. */
  readonly writable: boolean;
}

/** Why a session ended; the words are engine.io's. */
export type CloseReason =
  | "transport close"
  | "transport error"
  | "ping timeout"
  | "parse error"
  | "forced close";

export interface EngineSocketEvents {
  /** Every packet that came in. */
  packet: [packet: Packet];
  /** The data of every message that came in. */
  data: [data: string | Uint8Array<ArrayBuffer>];
  /** The same as `data`. */
  message: [data: string | Uint8Array<ArrayBuffer>];
  /** A pong came in. */
  heartbeat: [];
  /** A websocket answers for this session, and is being tried. */
  upgrading: [transport: EngineTransport];
  /** The session has changed to it. */
  upgrade: [transport: EngineTransport];
  /** A poll took everything that waited. */
  drain: [];
  /** socket.io listens to it; this engine ends a session that has an error, and emits `close`. */
  error: [error: Error];
  /** Once, last. */
  close: [reason: CloseReason, description?: Error];
}

/** One client's session, whatever transport carries it. */
export interface EngineSocket extends Emitter<EngineSocketEvents> {
  /** Secret: who knows it can send in the session's name. */
  readonly id: string;
  readonly protocol: 4;
  readonly readyState: "open" | "closing" | "closed";
  readonly request: EngineRequest;
  readonly remoteAddress: string;
  readonly transport: EngineTransport;
  /** Bytes not yet taken by the peer. A poll's answer counts until the next poll comes. */
  readonly bufferedAmount: number;
  /** Who this is is known: it is not counted any more among those of whom that is not. */
  authenticated(): void;
  /** Sends one message. Ignored when the session is not open. Never throws. */
  send(packet: string | Uint8Array<ArrayBuffer>): void;
  /** The same as `send`: the name that socket.io uses. */
  write(packet: string | Uint8Array<ArrayBuffer>): void;
  /**
   * Ends the session after everything that waits was sent: a session that polls gets that with its
   * next poll and the end with the one after. With `discard` at once.
   */
  close(discard?: boolean): void;
}

export interface EngineEvents {
  connection: [socket: EngineSocket];
}

/** An Engine.IO 4 server; `io.bind(engine)` puts socket.io on it. */
export interface Engine extends Emitter<EngineEvents> {
  /** Sessions that are open. */
  readonly clientsCount: number;
  /** Websockets that the engine has closed and whose peer does not let go; the runtime cannot. */
  readonly lingering: number;
  /** Answers every request below the path. Never throws. */
  handle(request: Request, remote: string): Promise<Response>;
  /** Ends every session at once and refuses new ones. */
  close(): void;
}
