import type { Emitter } from "./emitter.ts";
import type { EngineErrorName } from "./responses.ts";
import type { Timers } from "./timers.ts";

/** Where a request comes from. */
export interface Peer {
  /** The client's address. */
  address: string;
  /** The origin under which the client reached this server, such as "https://example.com". */
  selfOrigin: string;
  /** The client is on this machine. */
  isLoopback: boolean;
}

/** One unit of a limit that the application counts. */
export interface Slot {
  /** Gives it back. A second call has no effect. */
  release(): void;
}

export interface EngineOptions {
  /** Where the engine answers; with and without the slash at the end. Default "/socket.io/". */
  path?: string;
  /** Milliseconds from a client's pong to the next ping. */
  pingIntervalMs: number;
  /** Milliseconds that a client has to answer a ping. */
  pingTimeoutMs: number;
  /** Bytes of a POST body or of a WebSocket message that a client may send. */
  maxPayload: number;
  /** Milliseconds that a client has to complete an upgrade from polling to WebSocket. */
  upgradeTimeoutMs: number;
  /** When more bytes than this wait for a client, the next send closes its session instead. */
  maxBufferedBytes: number;
  /** Sessions at a time; more are refused with 503. Default 100,000. */
  maxSessions?: number;
  /** Default: a `setTimeout` for each timer. A timer wheel is cheaper for many sessions. */
  timers?: Timers;
  /** Reads where a request comes from. Default: the connection's address; no proxy is trusted. */
  peer?: (request: Request, remote: string) => Peer;
  /** Receives everything that a listener or a callback throws; the engine continues. */
  onError: (error: unknown, context: Record<string, unknown>) => void;
  /** Called once for each new session. A response is a refusal. */
  allow: (request: Request, peer: Peer) => Promise<Response | null>;
  /**
   * Called for each new session, and for each WebSocket that a session may be upgraded to: lets the
   * application limit clients that are not authenticated. The slot is released when the session or
   * the WebSocket is gone, or by `EngineSocket.releaseSlot`. A response is a refusal. Default: no
   * limit.
   */
  takeSlot?: (peer: Peer) => Slot | Response;
  /** The answer to a request for which a callback threw. Default, and for null: status 500. */
  errorResponse?: (error: unknown) => Response | null;
  /**
   * Called for each request that the engine itself refuses.
   *
   * @param sent the parameter that was not accepted, if there is one
   */
  onRefused?: (name: EngineErrorName, request: Request, peer: Peer, sent: string | null) => void;
  /** Whether pages of this origin may read the responses, with credentials. */
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
  /** The same as `query`; socket.io's handshake reads it under this name. */
  readonly _query: Readonly<Record<string, string>>;
  readonly address: string;
  readonly origin: string | null;
  readonly selfOrigin: string;
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
  /** Whether a packet that is sent now leaves at once. socket.io asks before a volatile packet. */
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
  /** Every packet that was received. */
  packet: [packet: Packet];
  /** The data of every message that was received. */
  data: [data: string | Uint8Array<ArrayBuffer>];
  /** The same as `data`. */
  message: [data: string | Uint8Array<ArrayBuffer>];
  /** A pong was received. */
  heartbeat: [];
  /** A WebSocket was opened for this session, and its probe was answered. */
  upgrading: [transport: EngineTransport];
  /** The session uses it from now on. */
  upgrade: [transport: EngineTransport];
  /** A poll took everything that waited. */
  drain: [];
  /** socket.io listens to it. This engine ends a session that has an error, and emits `close`. */
  error: [error: Error];
  /** The last event of a session. */
  close: [reason: CloseReason, description?: Error];
}

/** One client's session, over any transport. */
export interface EngineSocket extends Emitter<EngineSocketEvents> {
  /** A secret: a client that knows it can send in the session's name. */
  readonly id: string;
  readonly protocol: 4;
  readonly readyState: "open" | "closing" | "closed";
  readonly request: EngineRequest;
  readonly remoteAddress: string;
  readonly transport: EngineTransport;
  /** Bytes that the client has not taken yet. A poll's response counts until the next poll. */
  readonly bufferedAmount: number;
  /** Releases the session's slot before its end, because the client is authenticated. */
  releaseSlot(): void;
  /** Sends one message. Ignored when the session is not open. Never throws. */
  send(packet: string | Uint8Array<ArrayBuffer>): void;
  /** The same as `send`; socket.io uses this name. */
  write(packet: string | Uint8Array<ArrayBuffer>): void;
  /**
   * Ends the session after everything that waits was sent: a client that polls gets what waits with
   * its next poll, and the close packet with the one after. With `discard` the session ends at
   * once.
   */
  close(discard?: boolean): void;
}

export interface EngineEvents {
  connection: [socket: EngineSocket];
}

/** An Engine.IO 4 server. `io.bind(engine)` runs socket.io on it. */
export interface Engine extends Emitter<EngineEvents> {
  /** Sessions that are open. */
  readonly clientsCount: number;
  /** WebSockets that the engine has closed and whose peer has not; the runtime still holds them. */
  readonly lingering: number;
  /** Answers every request at the path. Never throws. */
  handle(request: Request, remote: string): Promise<Response>;
  /** Ends every session at once and refuses new ones. */
  close(): void;
}
