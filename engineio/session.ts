import { readBody } from "./body.ts";
import { Listeners } from "./emitter.ts";
import { Heartbeat } from "./heartbeat.ts";
import { CLOSE, decodePayload, encodeMessage, NOOP, PING, PONG_PROBE } from "./packet.ts";
import { PollingTransport } from "./polling.ts";
import { errorResponse, textResponse } from "./responses.ts";
import type { Timers } from "./timers.ts";
import type { CloseReason, EngineRequest, EngineSocket, EngineSocketEvents } from "./types.ts";
import type { Packet, Slot, TransportName } from "./types.ts";
import type { WebSocketTransport } from "./websocket.ts";

export interface SessionOptions {
  id: string;
  request: EngineRequest;
  timers: Timers;
  pingIntervalMs: number;
  pingTimeoutMs: number;
  upgradeTimeoutMs: number;
  maxPayload: number;
  maxBufferedBytes: number;
  onError: (error: unknown, context: Record<string, unknown>) => void;
  onClosed: (session: Session) => void;
  /** Released when the session ends, or before by `releaseSlot`. */
  slot: Slot;
}

/**
 * A client that closes its session by a POST may have a poll under way: how long to wait for it.
 */
const LAST_POLL_MS = 100;

/**
 * One client's session: heartbeat, transport, upgrade and end. It is one state machine ("open",
 * "closing", "closed", each with polling, a WebSocket, or both during an upgrade), so it is one
 * file.
 */
export class Session extends Listeners<EngineSocketEvents> implements EngineSocket {
  readonly protocol = 4;
  readonly id: string;
  readonly request: EngineRequest;
  readonly remoteAddress: string;

  readonly #options: SessionOptions;
  readonly #polling: PollingTransport | null;
  #websocket: WebSocketTransport | null;
  /** A WebSocket that this session may be upgraded to. */
  #candidate: { transport: WebSocketTransport; drop: () => void; probed: boolean } | null = null;
  #posting: AbortController | null = null;
  #readyState: "open" | "closing" | "closed" = "open";
  readonly #heartbeat: Heartbeat;
  /** Of the transport that is used. */
  #slot: Slot;
  #isSlotReleased = false;
  /** While the session is closing: the response to its last poll, and why it ends. */
  #closing: { packet: string; reason: CloseReason } = { packet: CLOSE, reason: "forced close" };
  #stopWaiting = () => {};

  /** @param websocket null for a session that starts with polling */
  constructor(options: SessionOptions, websocket: WebSocketTransport | null) {
    super((error, event) => options.onError(error, { address: options.request.address, event }));
    this.#options = options;
    this.id = options.id;
    this.request = options.request;
    this.remoteAddress = options.request.address;
    this.#polling = websocket === null ? new PollingTransport(() => this.emit("drain")) : null;
    this.#websocket = websocket;
    this.#slot = options.slot;
    if (websocket !== null) this.#use(websocket);
    this.#heartbeat = new Heartbeat({
      timers: options.timers,
      intervalMs: options.pingIntervalMs,
      timeoutMs: options.pingTimeoutMs,
      ping: () => this.transport.send(PING),
      onTimeout: () => this.#end("ping timeout"),
    });
  }

  get readyState(): "open" | "closing" | "closed" {
    return this.#readyState;
  }

  get transport(): PollingTransport | WebSocketTransport {
    return this.#websocket ?? this.#polling!;
  }

  get bufferedAmount(): number {
    return this.transport.bufferedAmount;
  }

  /** The first packet: the session's id and settings. */
  handshake(): string {
    const { id, pingIntervalMs, pingTimeoutMs, maxPayload } = this.#options;
    const upgrades: TransportName[] = this.#websocket === null ? ["websocket"] : [];
    return "0" + JSON.stringify({
      sid: id,
      upgrades,
      pingInterval: pingIntervalMs,
      pingTimeout: pingTimeoutMs,
      maxPayload,
    });
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.#readyState !== "open") return;
    const { bufferedAmount } = this;
    if (bufferedAmount > this.#options.maxBufferedBytes) {
      // In a later task: a caller that iterates over sessions must not see them change in a send.
      this.#readyState = "closing";
      const error = new Error(`Cannot send: ${bufferedAmount} bytes wait for the peer already`);
      queueMicrotask(() => this.#end("transport error", error));
      return;
    }
    this.transport.send(typeof data === "string" ? encodeMessage(data) : data);
  }

  releaseSlot(): void {
    this.#isSlotReleased = true;
    this.#slot.release();
  }

  write(data: string | Uint8Array<ArrayBuffer>): void {
    this.send(data);
  }

  close(discard = false): void {
    if (this.#readyState === "closed" || (this.#readyState === "closing" && !discard)) return;
    const polling = this.#websocket === null ? this.#polling : null;
    if (discard || polling === null || (polling.writable && polling.isEmpty)) {
      this.#end("forced close");
      return;
    }
    this.#closeAfterPoll(CLOSE, "forced close", this.#options.pingTimeoutMs);
  }

  /** Answers a GET: with what waits, or as soon as there is something. */
  poll(request: Request): Response | Promise<Response> {
    const polling = this.#polling;
    if (!this.#isPolling() || polling === null) return errorResponse("badRequest");
    if (polling.writable) {
      this.#end("transport error", new Error("Cannot poll: another poll is being held"));
      return errorResponse("badRequest");
    }
    polling.acknowledge();
    if (!polling.isEmpty) return polling.respond();
    if (this.#readyState === "closing") {
      // Not in one response with data: the official client handles the close first and loses the
      // data.
      const { packet, reason } = this.#closing;
      this.#end(reason);
      return textResponse(packet);
    }
    // A client pauses polling during an upgrade, so its last poll must not be held.
    if (this.#candidate?.probed) return textResponse(NOOP);
    return new Promise((resolve) => {
      const cancelled = () => {
        this.#end("transport error", new Error("Cannot answer: the poll was cancelled"));
      };
      request.signal.addEventListener("abort", cancelled, { once: true });
      polling.hold((response) => {
        request.signal.removeEventListener("abort", cancelled);
        resolve(response);
      });
    });
  }

  /** Handles the packets of a POST. */
  async post(request: Request): Promise<Response> {
    if (!this.#isPolling()) return errorResponse("badRequest");
    if (this.#posting !== null) return this.#refuse("another POST is being read");
    if (request.headers.get("content-type") === "application/octet-stream") {
      return this.#refuse("binary bodies belong to Engine.IO 3");
    }
    this.#posting = new AbortController();
    const body = await readBody(request, this.#options.maxPayload, this.#posting.signal);
    this.#posting = null;
    if (!this.#isPolling()) return errorResponse("badRequest");
    if ("failure" in body) {
      const isLarge = body.failure === "too_large";
      return this.#refuse(isLarge ? "the body is too large" : "the body has no end", isLarge);
    }
    for (const packet of decodePayload(body.text)) {
      if (packet?.type === "close") this.#closedByClient();
      else this.#receive(packet);
      if (packet === null) return errorResponse("badRequest");
      if (this.#readyState !== "open") break;
    }
    return textResponse("ok");
  }

  #closedByClient(): void {
    if (this.#readyState !== "open") return;
    const polling = this.#polling!;
    if (polling.writable) {
      this.#end("transport close");
    } else {
      polling.takePackets();
      this.#closeAfterPoll(NOOP, "transport close", LAST_POLL_MS);
    }
  }

  /** Keeps the session until a last poll, or the end of an upgrade, has taken what waits. */
  #closeAfterPoll(packet: string, reason: CloseReason, ms: number): void {
    this.#readyState = "closing";
    this.#closing = { packet, reason };
    // A client whose probe was answered has paused polling: the WebSocket delivers what waits.
    if (reason !== "forced close" || !this.#candidate?.probed) this.#dropCandidate();
    this.#heartbeat.stop();
    this.#stopWaiting = this.#options.timers.after(ms, () => this.#end(reason));
  }

  /** A WebSocket was opened with this session's id. Closed where the session cannot use it. */
  tryUpgrade(transport: WebSocketTransport): void {
    if (this.#readyState !== "open" || this.#websocket !== null || this.#candidate !== null) {
      transport.close();
      return;
    }
    const cancel = this.#options.timers.after(
      this.#options.upgradeTimeoutMs,
      () => this.#dropCandidate(),
    );
    this.#candidate = { transport, drop: cancel, probed: false };
    transport.onClose = () => this.#dropCandidate();
    transport.onPacket = (packet) => {
      if (packet?.type === "ping" && packet.data === "probe") {
        transport.send(PONG_PROBE);
        this.#candidate!.probed = true;
        this.#polling!.release(NOOP);
        this.emit("upgrading", transport);
      } else if (packet?.type === "upgrade") {
        this.#completeUpgrade(transport);
      } else {
        this.#dropCandidate();
      }
    };
  }

  #completeUpgrade(transport: WebSocketTransport): void {
    this.#candidate?.drop();
    this.#candidate = null;
    this.#posting?.abort();
    this.#polling!.release(NOOP);
    this.#websocket = transport;
    this.#slot.release();
    this.#slot = transport.slot;
    if (this.#isSlotReleased) this.#slot.release();
    this.#use(transport);
    for (const packet of this.#polling!.takePackets()) {
      transport.send(packet);
    }
    if (this.#readyState === "closing") {
      this.#end(this.#closing.reason);
      return;
    }
    this.#heartbeat.transportChanged();
    this.emit("upgrade", transport);
    this.emit("drain");
  }

  #use(transport: WebSocketTransport): void {
    transport.onPacket = (packet) => {
      if (packet?.type === "close") this.#end("transport close");
      else this.#receive(packet);
    };
    transport.onClose = (error) => {
      this.#end(error === undefined ? "transport close" : "transport error", error);
    };
  }

  #dropCandidate(): void {
    const candidate = this.#candidate;
    if (candidate === null) return;
    this.#candidate = null;
    candidate.drop();
    candidate.transport.close();
  }

  #receive(packet: Packet | null): void {
    if (this.#readyState !== "open") return;
    if (packet === null) {
      this.#end("parse error");
      return;
    }
    this.emit("packet", packet);
    switch (packet.type) {
      case "pong":
        this.#heartbeat.pong();
        this.emit("heartbeat");
        return;
      case "ping":
        this.#end("transport error", new Error("Cannot go on: only the server sends pings"));
        return;
      case "message":
        this.#heartbeat.packet();
        this.emit("data", packet.data!);
        this.emit("message", packet.data!);
        return;
      default:
        this.#heartbeat.packet();
    }
  }

  /** Whether it uses polling. A session that is overdue ends here, even before its timer fires. */
  #isPolling(): boolean {
    if (this.#heartbeat.isOverdue) this.#end("ping timeout");
    return this.#readyState !== "closed" && this.#websocket === null;
  }

  #refuse(why: string, isLarge = false): Response {
    this.#end("transport error", new Error(`Cannot take the packets: ${why}`));
    return errorResponse(isLarge ? "tooLarge" : "badRequest");
  }

  #end(reason: CloseReason, description?: Error): void {
    if (this.#readyState === "closed") return;
    this.#readyState = "closed";
    this.#heartbeat.stop();
    this.#stopWaiting();
    this.#dropCandidate();
    this.#posting?.abort();
    this.#polling?.release(reason === "transport close" ? NOOP : CLOSE);
    this.#polling?.takePackets();
    // A WebSocket holds its slot until its peer has closed, too.
    if (this.#websocket === null) this.#slot.release();
    else this.#websocket.close();
    this.#options.onClosed(this);
    this.emit("close", reason, description);
    this.removeAllListeners();
  }
}
