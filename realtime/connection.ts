import { CLOSE } from "../protocol/close_codes.ts";
import { ParleyError, toParleyError } from "../protocol/errors.ts";
import { type ClientSlot, NO_SLOT } from "../domain/capacity.ts";
import { audienceOf, type Principal } from "../domain/principal.ts";
import { yieldToEventLoop } from "../domain/event_loop.ts";
import { BackgroundWrites } from "./background_writes.ts";
import type { HubEvent } from "./broker.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import type { ConnectionEvents, ConnectionOptions } from "./connection_options.ts";
import { ConnectionRates, type Rate, settingOf } from "./connection_rates.ts";
import { byteLength, isPing } from "./frame_text.ts";
import type { WireProtocol } from "./wire_protocol.ts";
import { ConnectionWriter, type SocketLike } from "./writer.ts";

type Closing = (typeof CLOSE)[keyof typeof CLOSE];

/** Milliseconds after which a connection's frames let other connections have a turn. */
const TURN_MS = 4;

/** Milliseconds that frames sent before credentials wait for them. */
const EARLY_MS = 1000;

/** Milliseconds between two checks whether a peer has read enough answers for its next command. */
const ANSWERS_MS = 5;

/** Milliseconds that a ping waits for the frames before it. */
const PING_MS = 50;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * One socket: its principal, its rooms, and its frames, which are handled one after the other. It
 * is one state machine (not authenticated, authenticated, over), so it is one file.
 */
export class Connection {
  readonly id: string;
  readonly number: number;
  readonly protocol: WireProtocol<Connection>;
  readonly address: string;
  readonly origin: string | null;
  readonly selfOrigin: string;
  readonly limits: ConnectionLimits;
  readonly writer: ConnectionWriter;
  /** Rooms of the hub that it is in. */
  readonly rooms = new Set<string>();
  /** Conversations that it joined. */
  readonly conversations = new Set<string>();
  principal: Principal | null = null;
  /** Frames so far, in and out. */
  received = 0;
  sent = 0;
  /** The code with which this side ended it; null: not ended, or by the peer. */
  closedWith: number | null = null;
  /** The code with which the peer closed it, if it gave one. */
  peerClosedWith: number | null = null;
  /** Adapts a text for many connections to this one; null: it is not sent to this one. */
  personal: ((text: string) => string | null) | null = null;
  /** Of a visitor: their conversation, once it is known here. */
  ownConversation: string | null = null;
  /** Released when it is authenticated, and otherwise when its socket is gone. */
  readonly slot: ClientSlot;
  /** Called once when it ends, in the order of adding. */
  readonly cleanups: ((connection: Connection) => void)[] = [];

  readonly #socket: SocketLike;
  readonly #events: ConnectionEvents<Connection>;
  readonly #now: () => number;
  // There are thousands of connections, and most of them are idle: objects that few of them need
  // are created on first use.
  #writes: BackgroundWrites | null = null;
  #rates: ConnectionRates | null = null;
  /** Timers of pings that wait for the frames before them. */
  #pings: Set<ReturnType<typeof setTimeout>> | null = null;
  #frames: string[] = [];
  #running = false;
  #preAuthBytes = 0;
  #preAuthMessages = 0;
  #over = false;
  /** Frames that wait for credentials. */
  #early: string[] = [];
  /** Frames do not wait for credentials any more. */
  #earlyDone = false;
  #earlyTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions<Connection>) {
    this.#socket = options.socket;
    this.#events = options.events;
    this.#now = options.now ?? Date.now;
    this.id = options.id;
    this.number = options.number;
    this.protocol = options.protocol;
    this.address = options.address;
    this.origin = options.origin;
    this.selfOrigin = options.selfOrigin;
    this.limits = options.limits;
    this.slot = options.slot ?? NO_SLOT;
    this.writer = new ConnectionWriter(options.socket, this);
  }

  /** For the writer. */
  onSlow(): void {
    this.#events.onSlow(this);
  }

  onWaiting(writer: ConnectionWriter): void {
    this.#events.onWaiting(writer);
  }

  /** True from the first close on: nothing is handled or sent any more. */
  get isOver(): boolean {
    return this.#over;
  }

  send(text: string): void {
    if (this.#over) return;
    const own = this.personal === null ? text : this.personal(text);
    if (own === null) return;
    this.sent++;
    this.writer.write(own);
  }

  sendEvent(event: HubEvent, room: string | null = null): void {
    const audience = this.principal === null ? "visitors" : audienceOf(this.principal);
    const text = this.protocol.encode(event, room, audience);
    if (text !== null) this.send(text);
  }

  /** A frame from the socket. Frames are handled in order, one at a time. */
  receive(data: unknown): void {
    if (this.#over) return;
    this.received++;
    if (typeof data !== "string") {
      this.fail(
        new ParleyError("bad_frame", "Cannot read the frame: binary frames are not used"),
        this.#closingForRefusal(),
      );
      return;
    }
    const bytes = byteLength(data, this.limits.messageBytes);
    if (this.principal === null) {
      this.#preAuthBytes += bytes;
      if (this.#preAuthBytes > this.limits.preAuthBytes) {
        this.#refuseEarly("MAX_PRE_AUTH_BYTES", `${this.limits.preAuthBytes} bytes`, data);
        return;
      }
    }
    if (bytes > this.limits.messageBytes) {
      const error = new ParleyError(
        "too_large",
        `Cannot read the message: ${bytes} bytes are more than ${this.limits.messageBytes}`,
        { limit: "MAX_MESSAGE_BYTES" },
      );
      const closing = bytes > 4 * this.limits.messageBytes ? CLOSE.tooLarge : undefined;
      this.#refuseFrame(error, data, closing ?? this.#closingForRefusal());
      return;
    }
    if (this.#frames.length >= this.limits.pendingFrames) {
      const error = new ParleyError(
        "overloaded",
        `Cannot go on: more than ${this.limits.pendingFrames} commands wait for their turn` +
          " (MAX_PENDING_COMMANDS)",
        { limit: "MAX_PENDING_COMMANDS", retryAfter: 1000 },
      );
      this.#refuseFrame(error, data, CLOSE.rateLimited);
      return;
    }
    this.#frames.push(data);
    if (!this.#running) void this.#drain();
    else if (isPing(data)) this.#handleSoon(data);
  }

  /**
   * A ping asks whether the server responds. The frames before it may wait for the database, so
   * after a moment the ping is handled before them.
   */
  #handleSoon(ping: string): void {
    const timer = setTimeout(() => {
      this.#pings!.delete(timer);
      const index = this.#frames.indexOf(ping);
      if (index < 0 || this.#over) return;
      this.#frames.splice(index, 1);
      this.protocol.onFrame(this, ping).catch((error) => {
        this.#events.onError(error, this);
        this.fail(toParleyError(error), CLOSE.internal);
      });
    }, PING_MS);
    (this.#pings ??= new Set()).add(timer);
  }

  /** Too much was received before authentication. */
  #refuseEarly(limit: string, most: string, frame: string): void {
    const error = new ParleyError(
      "too_large",
      `Cannot go on: more than ${most} were sent before authentication (${limit})`,
      { limit },
    );
    this.#refuseFrame(error, frame, CLOSE.tooLarge);
  }

  /** Counts a frame that is not a command, and closes a peer that continues to send such frames. */
  #closingForRefusal(): Closing | undefined {
    return this.#countRefusal(this.#now()) ? CLOSE.rateLimited : undefined;
  }

  /** Sends the error, with the command's id where that can be read, and closes if asked to. */
  #refuseFrame(error: ParleyError, frame: string, closing: Closing | undefined): void {
    const refusals = this.protocol.encodeRefusals?.(error, frame) ?? [];
    for (const text of refusals) this.send(text);
    // Before a close also without an id: it is the reason for the close.
    if (refusals.length === 0 || closing !== undefined) this.fail(error, closing);
  }

  /** @returns whether the refusals of the last minute are too many. */
  #countRefusal(now: number): boolean {
    return (this.#rates ??= new ConnectionRates(this.limits)).countRefusal(now);
  }

  async #drain(): Promise<void> {
    this.#running = true;
    let turnStart = performance.now();
    while (this.#frames.length > 0 && !this.#over) {
      if (performance.now() - turnStart > TURN_MS) {
        await yieldToEventLoop();
        turnStart = performance.now();
        // In that turn this connection may have ended.
        continue;
      }
      const frame = this.#frames.shift()!;
      if (this.#deferEarly(frame)) continue;
      // Counted when it is handled: frames that follow the credentials wait for the answer to them,
      // and are then not counted as sent before authentication.
      const { preAuthMessages } = this.limits;
      if (this.principal === null && ++this.#preAuthMessages > preAuthMessages) {
        this.#refuseEarly("MAX_PRE_AUTH_MESSAGES", `${preAuthMessages} messages`, frame);
        break;
      }
      try {
        await this.protocol.onFrame(this, frame);
      } catch (error) {
        // Nothing a peer sends may end the process: an unexpected error ends its connection.
        this.#events.onError(error, this);
        this.fail(toParleyError(error), CLOSE.internal);
      }
      if (this.principal !== null && this.#early.length > 0) this.#requeueEarly();
    }
    this.#running = false;
  }

  /**
   * Some clients send their queue as soon as they are connected, and their credentials after it.
   * The queue waits a moment for the credentials.
   */
  #deferEarly(frame: string): boolean {
    if (this.principal !== null || this.#earlyDone) return false;
    if (this.protocol.mayWait?.(frame) !== true) return false;
    if (this.#early.length >= this.limits.pendingFrames) return false;
    this.#early.push(frame);
    this.#earlyTimer ??= setTimeout(() => {
      this.#requeueEarly();
      if (!this.#running) void this.#drain();
    }, EARLY_MS);
    return true;
  }

  /** Before everything that was sent after them. */
  #requeueEarly(): void {
    this.#earlyDone = true;
    clearTimeout(this.#earlyTimer);
    this.#frames.unshift(...this.#early.splice(0));
  }

  /**
   * Lets the next frame be handled while this one is being stored, so that a burst of messages
   * shares transactions. The writer of the domain keeps their order.
   *
   * @param bytes of the command, which its answer repeats
   */
  async inBackground(work: Promise<void>, bytes: number): Promise<void> {
    const writes = this.#writes ??= new BackgroundWrites(this.limits);
    writes.add(work, bytes);
    while (writes.isFull) await writes.anyDone();
    // Their answers arrive all at once; a peer that reads them must not count as a slow reader.
    const { queueBytes } = this.limits;
    while (!this.#over && this.writer.waitingBytes > queueBytes / 4) await pause(ANSWERS_MS);
  }

  /** Resolves when all background work is done: what is read then shows what was written. */
  async writesDone(): Promise<void> {
    if (this.#writes !== null) await this.#writes.allDone();
  }

  /** Counts a command of this connection. @throws {ParleyError} `rate_limited`. */
  takeCommand(rate: Rate): void {
    const now = this.#now();
    const wait = (this.#rates ??= new ConnectionRates(this.limits)).take(rate, now);
    if (wait === 0) return;
    const limit = settingOf(rate);
    this.#events.onRateLimited?.(limit, this);
    const error = new ParleyError("rate_limited", "Rate limit exceeded", {
      retryAfter: wait,
      limit,
    });
    if (this.#countRefusal(now)) this.fail(error, CLOSE.rateLimited);
    throw error;
  }

  /** Protocols call it for each error that they send, for the metrics. */
  errorSent(error: ParleyError): void {
    this.#events.onErrorSent?.(error.code, this);
  }

  /** Sends an error that answers no command, and closes if asked to. */
  fail(error: ParleyError, closing: Closing | undefined = error.close): void {
    this.errorSent(error);
    this.send(this.protocol.encodeError(error));
    if (closing !== undefined) this.close(closing);
  }

  close(closing: Closing): void {
    if (this.#over) return;
    this.closedWith = closing.code;
    this.end();
    // In the next turn: if a socket is closed while a frame is handled and more have arrived, Deno
    // drops the TCP connection, and the peer does not receive the code.
    void yieldToEventLoop().then(() => {
      try {
        this.#socket.close(closing.code, closing.reason);
      } catch {
        // Already closing.
      }
    });
  }

  /** Cleans up after a close from either side. A second call has no effect. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#frames = [];
    this.#early = [];
    clearTimeout(this.#earlyTimer);
    this.#pings?.forEach(clearTimeout);
    this.writer.stop();
    for (const cleanup of this.cleanups.splice(0)) {
      try {
        cleanup(this);
      } catch (error) {
        this.#events.onError(error, this);
      }
    }
  }
}
