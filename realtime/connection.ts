import { CLOSE } from "../protocol/close_codes.ts";
import { ParleyError, toParleyError } from "../protocol/errors.ts";
import { NO_SLOT, type Slot } from "../domain/capacity.ts";
import { audienceOf, type Principal } from "../domain/principal.ts";
import { TokenBucket } from "../domain/rate_limit.ts";
import { yieldToEventLoop } from "../domain/event_loop.ts";
import type { HubEvent } from "./broker.ts";
import type { Protocol } from "./protocol.ts";
import { ConnectionWriter, type SocketLike } from "./writer.ts";

export interface ConnectionLimits {
  messageBytes: number;
  preAuthBytes: number;
  preAuthMessages: number;
  queueBytes: number;
  pendingFrames: number;
  messagesPerMinute: number;
  typingPerMinute: number;
  editsPerMinute: number;
  cursorsPerMinute: number;
  subscriptions: number;
}

export interface ConnectionOptions {
  id: string;
  /** Counts up; spreads connections over whatever has turns. */
  number: number;
  socket: SocketLike;
  protocol: Protocol;
  limits: ConnectionLimits;
  address: string;
  origin: string | null;
  /** The origin under which the client reached this server. */
  selfOrigin: string;
  /** What it takes up until it is authenticated. */
  slot?: Slot | undefined;
  events: ConnectionEvents;
  now?: () => number;
}

/** What connections tell of themselves; one object for all of them. */
export interface ConnectionEvents {
  onSlow: (connection: Connection) => void;
  onWaiting: (writer: ConnectionWriter) => void;
  onError: (error: unknown, connection: Connection) => void;
  /** A command was refused because of a rate; `limit` is the setting. */
  onRefused?: (limit: string, connection: Connection) => void;
  /** The peer was told of an error, with this code. */
  onTold?: (code: string, connection: Connection) => void;
}

/** What has a rate of its own, and the setting that it is. */
const RATES = {
  message: { limit: "LIMIT_MESSAGES_PER_MINUTE", perMinute: "messagesPerMinute" },
  typing: { limit: "LIMIT_TYPING_PER_MINUTE", perMinute: "typingPerMinute" },
  edit: { limit: "LIMIT_EDITS_PER_MINUTE", perMinute: "editsPerMinute" },
  cursor: { limit: "LIMIT_CURSORS_PER_MINUTE", perMinute: "cursorsPerMinute" },
} as const;
export type Rate = keyof typeof RATES;

/** The rate that a command of this type counts for. */
export function rateOf(type: unknown): Rate {
  return type === "typing" || type === "edit" || type === "cursor" ? type : "message";
}

type Closing = (typeof CLOSE)[keyof typeof CLOSE];

/** How long one connection's frames may keep the others waiting, in milliseconds. */
const TURN_MS = 4;

/** How long a queue that was sent before its credentials waits for them, in milliseconds. */
const EARLY_MS = 1000;

/** How often a peer is looked at that has many answers to read before its next command. */
const ANSWERS_MS = 5;

/** How long a ping waits for what was sent before it, in milliseconds, and characters of one. */
const PING_MS = 50;
const MAX_PING = 1000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Refusals in a minute after which a peer that ignores them is sent away. */
const STRIKES_PER_MINUTE = 30;

/** One socket: who is behind it, what it follows, and its frames one after the other. */
export class Connection {
  readonly id: string;
  readonly number: number;
  readonly protocol: Protocol;
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
  /** The code that it was ended with here; null: not, or by the peer. */
  closedWith: number | null = null;
  /** The code that the peer closed with, as far as it gave one. */
  peerClosedWith: number | null = null;
  /** Makes of what everybody gets what this connection gets, null for nothing; null: the same. */
  personal: ((text: string) => string | null) | null = null;
  /** Of a visitor: their conversation, once it is known here. */
  ownConversation: string | null = null;
  /** Given back once it is authenticated; until then by who made it, when its socket is gone. */
  readonly slot: Slot;
  /** Called once when it is over, in the order of adding. */
  readonly cleanups: ((connection: Connection) => void)[] = [];

  readonly #socket: SocketLike;
  readonly #events: ConnectionEvents;
  readonly #now: () => number;
  // There are thousands of connections, and most of them are idle: what few of them need is made
  // when they need it.
  #writes: Set<Promise<void>> | null = null;
  readonly #buckets: Partial<Record<Rate, TokenBucket>> = {};
  #strikes: TokenBucket | null = null;
  /** Pings that wait for their turn, as timers. */
  #pings: Set<ReturnType<typeof setTimeout>> | null = null;
  #writingBytes = 0;
  #frames: string[] = [];
  #running = false;
  #preAuthBytes = 0;
  #preAuthMessages = 0;
  #over = false;
  #early: string[] = [];
  #isLate = false;
  #earlyTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions) {
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

  /** The reader of the writer's does not keep up. */
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

  /** Takes a frame from the socket. Frames are handled in order, one at a time. */
  receive(data: unknown): void {
    if (this.#over) return;
    this.received++;
    if (typeof data !== "string") {
      this.fail(
        new ParleyError("bad_frame", "Cannot read the frame: binary frames are not used"),
        this.#closingStrike(),
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
      this.#refuseFrame(error, data, closing ?? this.#closingStrike());
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
    else if (isPing(data)) this.#answerSoon(data);
  }

  /**
   * A ping asks whether the server is there. What stands before it may wait for the database, and
   * the answer may not, so it overtakes what takes its time.
   */
  #answerSoon(ping: string): void {
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

  /** Too much came from somebody of whom nothing is known yet. */
  #refuseEarly(limit: string, most: string, frame: string): void {
    const error = new ParleyError(
      "too_large",
      `Cannot go on: more than ${most} were sent before authentication (${limit})`,
      { limit },
    );
    this.#refuseFrame(error, frame, CLOSE.tooLarge);
  }

  /** A frame that is not even a command is held against a peer that goes on with it. */
  #closingStrike(): Closing | undefined {
    return this.#strike(this.#now()) ? CLOSE.rateLimited : undefined;
  }

  /** Tells the peer, by its command's id where that can be read, and closes where that is asked for. */
  #refuseFrame(error: ParleyError, frame: string, closing: Closing | undefined): void {
    const refusals = this.protocol.encodeRefusals?.(error, frame) ?? [];
    for (const text of refusals) this.send(text);
    // What is said without an id before a close is the reason for it.
    if (refusals.length === 0 || closing !== undefined) this.fail(error, closing);
  }

  /** One more refusal; true: they are too many. */
  #strike(now: number): boolean {
    this.#strikes ??= new TokenBucket(STRIKES_PER_MINUTE, 60_000, now);
    return this.#strikes.take(now) > 0;
  }

  async #drain(): Promise<void> {
    this.#running = true;
    let turnStart = performance.now();
    while (this.#frames.length > 0 && !this.#over) {
      if (performance.now() - turnStart > TURN_MS) {
        await yieldToEventLoop();
        turnStart = performance.now();
        // The others had their turn, and one of them may have ended this connection.
        continue;
      }
      const frame = this.#frames.shift()!;
      if (this.#setAside(frame)) continue;
      // Counted when its turn comes: a queue that a client sends right behind its credentials waits
      // for their answer, and is then nothing that came before them.
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
      if (this.principal !== null && this.#early.length > 0) this.#takeUpEarly();
    }
    this.#running = false;
  }

  /**
   * A client that sends its queue as soon as it is connected, and its credentials only then, means
   * both: the queue waits a moment for them.
   */
  #setAside(frame: string): boolean {
    if (this.principal !== null || this.#isLate) return false;
    if (this.protocol.mayWait?.(frame) !== true) return false;
    if (this.#early.length >= this.limits.pendingFrames) return false;
    this.#early.push(frame);
    this.#earlyTimer ??= setTimeout(() => {
      this.#takeUpEarly();
      if (!this.#running) void this.#drain();
    }, EARLY_MS);
    return true;
  }

  /** They come before everything that was sent after them. */
  #takeUpEarly(): void {
    this.#isLate = true;
    clearTimeout(this.#earlyTimer);
    this.#frames.unshift(...this.#early.splice(0));
  }

  /**
   * Lets the next frame be handled while this one is being stored: a burst of messages shares
   * transactions instead of waiting for one each. Their order is kept by the writer.
   *
   * @param bytes of the command, which its answer will repeat
   */
  async inBackground(work: Promise<void>, bytes: number): Promise<void> {
    const { pendingFrames, queueBytes } = this.limits;
    const writes = this.#writes ??= new Set();
    const done = work.finally(() => {
      writes.delete(done);
      this.#writingBytes -= bytes;
    });
    writes.add(done);
    this.#writingBytes += bytes;
    while (writes.size >= pendingFrames || this.#writingBytes > queueBytes / 8) {
      await Promise.race(writes);
    }
    // Their answers come all at once: a peer that reads them is not slow for having asked much.
    while (!this.#over && this.writer.waitingBytes > queueBytes / 4) await pause(ANSWERS_MS);
  }

  /** Everything that runs in the background is done: what is read now shows what was written. */
  async settled(): Promise<void> {
    if (this.#writes !== null) await Promise.all(this.#writes);
  }

  /** Takes one of this connection's commands. @throws {ParleyError} `rate_limited`. */
  takeCommand(kind: Rate): void {
    const now = this.#now();
    const { limit, perMinute } = RATES[kind];
    // Made when it is needed: few connections ever edit.
    const bucket = this.#buckets[kind] ??= new TokenBucket(this.limits[perMinute], 60_000, now);
    const wait = bucket.take(now);
    if (wait === 0) return;
    this.#events.onRefused?.(limit, this);
    const error = new ParleyError("rate_limited", "Rate limit exceeded", {
      retryAfter: wait,
      limit,
    });
    if (this.#strike(now)) this.fail(error, CLOSE.rateLimited);
    throw error;
  }

  /** Protocols say so of each error that they tell the peer, for who counts them. */
  told(error: ParleyError): void {
    this.#events.onTold?.(error.code, this);
  }

  /** Tells the peer of an error that answers no command, and closes where that is asked for. */
  fail(error: ParleyError, closing: Closing | undefined = error.close): void {
    this.told(error);
    this.send(this.protocol.encodeError(error));
    if (closing !== undefined) this.close(closing);
  }

  close(closing: Closing): void {
    if (this.#over) return;
    this.closedWith = closing.code;
    this.end();
    // In the next turn: closed while a frame is being handled and more have arrived, Deno drops
    // the TCP connection and the peer never sees the code.
    void yieldToEventLoop().then(() => {
      try {
        this.#socket.close(closing.code, closing.reason);
      } catch {
        // Already closing.
      }
    });
  }

  /** Cleans up; called on close from either side, safe to call again. */
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

/** Of every protocol that has pings of its own: `{"type":"ping",…}` alone in its frame. */
function isPing(frame: string): boolean {
  if (frame.length > MAX_PING || !frame.includes('"ping"')) return false;
  try {
    return (JSON.parse(frame) as { type?: unknown } | null)?.type === "ping";
  } catch {
    return false;
  }
}

const encoder = new TextEncoder();

/** UTF-8 length; counted exactly only where it can matter. */
function byteLength(text: string, limit: number): number {
  if (text.length * 3 <= limit || text.length > limit * 8) return text.length;
  return encoder.encode(text).length;
}
