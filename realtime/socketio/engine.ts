import { isBriefOutage } from "../../protocol/errors.ts";
import { NO_SLOT, type Slot } from "../../domain/capacity.ts";
import { createPeerReader, type Peer } from "../address.ts";
import { createTimerWheel } from "../timer_wheel.ts";
import { Listeners } from "./emitter.ts";
import { engineRequest } from "./request.ts";
import { allowReading, type EngineErrorName, errorResponse } from "./responses.ts";
import { preflightResponse, textResponse } from "./responses.ts";
import { Session } from "./session.ts";
import type { Engine, EngineEvents, EngineOptions, EngineRequest } from "./types.ts";
import { WebSocketTransport } from "./websocket.ts";

export type {
  CloseReason,
  Engine,
  EngineOptions,
  EngineRequest,
  EngineSocket,
  EngineSocketEvents,
  EngineTransport,
  Packet,
} from "./types.ts";

const DEFAULT_MAX_SESSIONS = 100_000;

/** Bytes of randomness in a session's id, which is all that its polls prove themselves with. */
const ID_BYTES = 18;

/**
 * An Engine.IO 4 server for `Deno.serve`: long polling, websocket, and the change from one to the
 * other. The protocol is https://github.com/socketio/socket.io/tree/main/docs/engine.io-protocol.
 *
 * @example
 * ```ts
 * const engine = createEngine({ … });
 * new Server().bind(engine);
 * Deno.serve((request, info) => engine.handle(request, info.remoteAddr.hostname));
 * ```
 */
export function createEngine(options: EngineOptions): Engine {
  return new EngineServer(options);
}

class EngineServer extends Listeners<EngineEvents> implements Engine {
  readonly #options: EngineOptions;
  readonly #path: string;
  readonly #wheel;
  readonly #readPeer;
  readonly #sessions = new Map<string, Session>();
  /** Origins whose pages may read what these sessions are answered. */
  readonly #readableBy = new WeakMap<Session, string>();
  readonly #websockets = new Set<WebSocketTransport>();
  #isClosed = false;

  constructor(options: EngineOptions) {
    super((error, event) => options.onError(error, { event }));
    this.#options = options;
    this.#path = (options.path ?? "/socket.io/").replace(/\/?$/, "/");
    this.#wheel = options.wheel ??
      createTimerWheel({
        // Fine enough for a heartbeat of any length, and no finer.
        tickMs: Math.min(50, Math.max(5, options.pingTimeoutMs / 20)),
        onError: (error) => options.onError(error, { event: "timer" }),
      });
    this.#readPeer = options.peer ?? createPeerReader([]);
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
      const refused = isBriefOutage(error) ? this.#options.refused?.(error) : undefined;
      return refused ?? errorResponse("internal");
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const session of this.#sessions.values()) session.close(true);
    if (this.#options.wheel === undefined) this.#wheel.stop();
  }

  async #route(request: Request, remote: string): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname !== this.#path && `${url.pathname}/` !== this.#path) {
      return errorResponse("notFound");
    }
    // Before an upgrade: the runtime does not tell afterwards.
    const peer = this.#readPeer(request, remote);
    if (request.headers.get("upgrade")?.toLowerCase() === "websocket") {
      return await this.#upgrade(request, url, peer);
    }
    const origin = request.headers.get("origin");
    const session = this.#sessions.get(url.searchParams.get("sid") ?? "");
    const readable = origin !== null &&
      (session !== undefined && this.#readableBy.get(session) === origin ||
        await this.#options.cors(origin, peer));
    const response = request.method === "OPTIONS"
      ? preflightResponse(request)
      : await this.#answer(request, url, peer, readable ? origin : null);
    return readable ? allowReading(response, origin) : response;
  }

  /** What both transports refuse, in the order of engine.io. */
  #refusal(request: Request, url: URL): EngineErrorName | null {
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
    const asked = { unsupportedVersion: "EIO", unknownTransport: "transport" };
    const sent = name in asked ? url.searchParams.get(asked[name as keyof typeof asked]) : null;
    this.#options.onRefused?.(name, request, peer, sent);
    return errorResponse(name);
  }

  get #isFull(): boolean {
    return this.#sessions.size >= (this.#options.maxSessions ?? DEFAULT_MAX_SESSIONS);
  }

  async #answer(
    request: Request,
    url: URL,
    peer: Peer,
    readableBy: string | null,
  ): Promise<Response> {
    const refusal = this.#refusal(request, url);
    if (refusal !== null) return this.#refuse(refusal, request, url, peer);
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

  async #upgrade(request: Request, url: URL, peer: Peer): Promise<Response> {
    const refusal = this.#refusal(request, url);
    if (refusal !== null) return this.#refuse(refusal, request, url, peer);
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
        // A peer that is gone without a word also leaves the runtime.
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
        // Not before: a session may end, or be upgraded by another socket, while this one opens.
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
    try {
      return this.#options.takeSlot?.(peer) ?? NO_SLOT;
    } catch (error) {
      return this.#options.refused?.(error) ?? errorResponse("full");
    }
  }

  #open(request: EngineRequest, websocket: WebSocketTransport | null, slot: Slot): Session {
    const id = crypto.getRandomValues(new Uint8Array(ID_BYTES)).toBase64({ alphabet: "base64url" });
    const session = new Session({
      id,
      request,
      wheel: this.#wheel,
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
