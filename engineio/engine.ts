import { Listeners } from "./emitter.ts";
import { directPeer, engineRequest } from "./request.ts";
import { allowReading, type EngineErrorName, errorResponse } from "./responses.ts";
import { preflightResponse, textResponse } from "./responses.ts";
import { Session } from "./session.ts";
import { createTimers, type Timers } from "./timers.ts";
import type { Engine, EngineEvents, EngineOptions, EngineRequest, Peer, Slot } from "./types.ts";
import { WebSocketTransport } from "./websocket.ts";

const DEFAULT_MAX_SESSIONS = 100_000;

/** Random bytes in a session's id. The id is the only secret that a poll is authorized by. */
const ID_BYTES = 18;

const UNLIMITED: Slot = { release() {} };

/**
 * An Engine.IO 4 server for `Deno.serve`: long polling, WebSocket, and the upgrade from one to the
 * other. The protocol is https://github.com/socketio/socket.io/tree/main/docs/engine.io-protocol.
 */
export function createEngine(options: EngineOptions): Engine {
  return new EngineServer(options);
}

class EngineServer extends Listeners<EngineEvents> implements Engine {
  readonly #options: EngineOptions;
  readonly #path: string;
  readonly #timers: Timers;
  readonly #sessions = new Map<string, Session>();
  /** The origins whose pages may read the responses of these sessions. */
  readonly #readableBy = new WeakMap<Session, string>();
  readonly #websockets = new Set<WebSocketTransport>();
  #isClosed = false;

  constructor(options: EngineOptions) {
    super((error, event) => options.onError(error, { event }));
    this.#options = options;
    this.#path = (options.path ?? "/socket.io/").replace(/\/?$/, "/");
    this.#timers = options.timers ??
      createTimers((error) => options.onError(error, { event: "timer" }));
  }

  get clientsCount(): number {
    return this.#sessions.size;
  }

  get lingering(): number {
    return [...this.#websockets].filter((transport) => transport.isLingering).length;
  }

  async handle(request: Request, remote: string): Promise<Response> {
    try {
      return await this.#route(request, remote);
    } catch (error) {
      this.#options.onError(error, { event: "request", method: request.method });
      return this.#options.errorResponse?.(error) ?? errorResponse("internal");
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const session of this.#sessions.values()) session.close(true);
  }

  async #route(request: Request, remote: string): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname !== this.#path && `${url.pathname}/` !== this.#path) {
      return errorResponse("notFound");
    }
    // Before an upgrade: after it the runtime does not return the address any more.
    const peer = (this.#options.peer ?? directPeer)(request, remote);
    if (request.headers.get("upgrade")?.toLowerCase() === "websocket") {
      return await this.#upgrade(request, url, peer);
    }
    const origin = request.headers.get("origin");
    const session = this.#sessions.get(url.searchParams.get("sid") ?? "");
    const isReadable = origin !== null &&
      (session !== undefined && this.#readableBy.get(session) === origin ||
        await this.#options.cors(origin, peer));
    const response = request.method === "OPTIONS"
      ? preflightResponse(request)
      : await this.#poll(request, url, peer, isReadable ? origin : null);
    return isReadable ? allowReading(response, origin) : response;
  }

  /** What both transports refuse, in the order of engine.io. */
  #errorOf(request: Request, url: URL): EngineErrorName | null {
    const query = url.searchParams;
    const transport = query.get("transport");
    if (this.#isClosed) return "closed";
    if (transport !== "polling" && transport !== "websocket") return "unknownTransport";
    if (query.get("EIO") !== "4") return "unsupportedVersion";
    const sid = query.get("sid");
    if (sid !== null && !this.#sessions.has(sid)) return "unknownSession";
    if (sid === null && request.method !== "GET") return "badHandshakeMethod";
    if (sid === null && this.#isFull) return "full";
    return null;
  }

  #refuse(name: EngineErrorName, request: Request, url: URL, peer: Peer): Response {
    const parameters = { unsupportedVersion: "EIO", unknownTransport: "transport" };
    const sent = name in parameters
      ? url.searchParams.get(parameters[name as keyof typeof parameters])
      : null;
    this.#options.onRefused?.(name, request, peer, sent);
    return errorResponse(name);
  }

  get #isFull(): boolean {
    return this.#sessions.size >= (this.#options.maxSessions ?? DEFAULT_MAX_SESSIONS);
  }

  /** A request of the polling transport: a handshake, a poll, or a POST. */
  async #poll(
    request: Request,
    url: URL,
    peer: Peer,
    readableBy: string | null,
  ): Promise<Response> {
    const error = this.#errorOf(request, url);
    if (error !== null) return this.#refuse(error, request, url, peer);
    if (url.searchParams.get("transport") !== "polling") return errorResponse("badRequest");
    const sid = url.searchParams.get("sid");
    if (sid !== null) {
      const session = this.#sessions.get(sid)!;
      if (request.method === "GET") return session.poll(request);
      if (request.method === "POST") return session.post(request);
      return errorResponse("badRequest");
    }
    const refused = await this.#options.allow(request, peer);
    // A copy, because headers are added to it.
    if (refused !== null) return new Response(refused.body, refused);
    if (this.#isClosed || this.#isFull) return errorResponse(this.#isClosed ? "closed" : "full");
    const slot = this.#takeSlot(peer);
    if (slot instanceof Response) return slot;
    const session = this.#open(engineRequest(request, url, peer), null, slot);
    if (readableBy !== null) this.#readableBy.set(session, readableBy);
    this.emit("connection", session);
    return textResponse(session.handshake());
  }

  /** A request of the WebSocket transport: a new session, or the upgrade of one that polls. */
  async #upgrade(request: Request, url: URL, peer: Peer): Promise<Response> {
    const error = this.#errorOf(request, url);
    if (error !== null) return this.#refuse(error, request, url, peer);
    if (url.searchParams.get("transport") !== "websocket") return errorResponse("badRequest");
    const sid = url.searchParams.get("sid");
    const refused = sid === null ? await this.#options.allow(request, peer) : null;
    if (refused !== null) return refused;
    const { pingIntervalMs, pingTimeoutMs, maxPayload, onError } = this.#options;
    const kept = engineRequest(request, url, peer);
    const slot = this.#takeSlot(peer);
    if (slot instanceof Response) return slot;
    let upgraded: Deno.WebSocketUpgrade;
    try {
      upgraded = Deno.upgradeWebSocket(request, {
        // The runtime also drops a peer that disappeared without closing.
        idleTimeout: Math.max(2, Math.ceil((pingIntervalMs + pingTimeoutMs) / 1000)),
      });
    } catch {
      slot.release();
      return errorResponse("badRequest");
    }
    const { socket, response } = upgraded;
    const transport = new WebSocketTransport(socket, {
      maxPayload,
      slot,
      onError: (error) => onError(error, { event: "websocket", address: peer.address }),
      onGone: () => this.#websockets.delete(transport),
    });
    this.#websockets.add(transport);
    transport.onOpen = () => {
      if (sid !== null) {
        // Looked up now: the session may have ended, or been upgraded, while this socket opened.
        const session = this.#sessions.get(sid);
        if (session === undefined) transport.close();
        else session.tryUpgrade(transport);
      } else if (this.#isClosed || this.#isFull) {
        transport.close();
      } else {
        const session = this.#open(kept, transport, slot);
        transport.send(session.handshake());
        this.emit("connection", session);
      }
    };
    return response;
  }

  #takeSlot(peer: Peer): Slot | Response {
    return this.#options.takeSlot?.(peer) ?? UNLIMITED;
  }

  #open(request: EngineRequest, websocket: WebSocketTransport | null, slot: Slot): Session {
    const id = crypto.getRandomValues(new Uint8Array(ID_BYTES)).toBase64({ alphabet: "base64url" });
    const session = new Session({
      id,
      request,
      timers: this.#timers,
      pingIntervalMs: this.#options.pingIntervalMs,
      pingTimeoutMs: this.#options.pingTimeoutMs,
      upgradeTimeoutMs: this.#options.upgradeTimeoutMs,
      maxPayload: this.#options.maxPayload,
      maxBufferedBytes: this.#options.maxBufferedBytes,
      onError: this.#options.onError,
      slot,
      onClosed: () => this.#sessions.delete(id),
    }, websocket);
    this.#sessions.set(id, session);
    return session;
  }
}
