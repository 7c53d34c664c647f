/**
 * People who write and follow while everything around them breaks. Each speaks one protocol as its
 * document has it, connects again whenever the connection is lost, and sends a message again under
 * the same id until it is acknowledged, so that in the end every message is known to be stored.
 */

// deno-lint-ignore no-explicit-any -- each protocol has its own shapes
export type Frame = any;

/** Something that the server did not do, in its own words. */
export interface Refusal {
  protocol: string;
  /** What was refused: "connect", "auth", "join", "message", "history". */
  at: string;
  code: string;
  /** Milliseconds. */
  retryAfter: number | null;
  message: string;
}

export class RefusedError extends Error {
  constructor(readonly refusal: Omit<Refusal, "protocol">) {
    super(`${refusal.at}: ${refusal.code}: ${refusal.message}`);
  }
}

/** The connection went before the answer came. */
export class LostError extends Error {}

export interface Seat {
  /** "http://127.0.0.1:port" of the node. */
  url: string;
  role: "visitor" | "agent";
  userId: string;
  conversationId: string;
  credentials: { token: string } | { sessionId: string };
  /** Of a conversation with a name. */
  contextId?: string;
}

/** What a connection tells its member. */
export interface Ears {
  hear(seq: number, content: string): void;
  /** Read elsewhere, and maybe heard already. */
  learn(seq: number, content: string): void;
  /** The last that was heard. */
  lastSeq(): number;
  /** The server closed, and told the client to stay away. */
  away(code: number, reason: string): void;
  /** Kept from one connection to the next. */
  memory: Record<string, Frame>;
}

/** One connection that is authenticated, and in its conversation. */
export interface Wire {
  /** Resolves when it is stored. @throws {RefusedError} @throws {LostError} */
  send(id: string, content: string): Promise<void>;
  /** Resolves when the connection is gone. */
  readonly lost: Promise<unknown>;
  /** As if the network had ended it. */
  cut(): void;
  close(): void;
}

export interface Kind {
  name: string;
  /** Visitors with a session, or participants with a token. */
  visitors: "session" | "participant";
  /** @throws {RefusedError} @throws {LostError} */
  connect(seat: Seat, ears: Ears): Promise<Wire>;
}

/** How long an answer may take before it counts as never coming. */
export const SILENCE_MS = 45_000;
const RECONNECT_MS = [50, 500] as const;

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Rejects when the work takes longer than anything may. */
export async function within<T>(work: Promise<T>, what: string, ms = SILENCE_MS): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new RefusedError({ at: what, code: "silence", retryAfter: null, message: "" })),
      ms,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export class Member {
  /** Contents in the order in which they came. */
  readonly heard: { seq: number; content: string }[] = [];
  /** Contents that were acknowledged, in the order of sending, with the time of the answer. */
  readonly acked: { content: string; at: number }[] = [];
  readonly refusals: Refusal[] = [];
  /** What the server did against the rules. */
  readonly violations: string[] = [];
  readonly name: string;
  /** Set while it is not to write. */
  paused = false;
  #wire: Wire | null = null;
  #stopped = false;
  #wake = Promise.withResolvers<void>();
  #running: Promise<unknown>[] = [];
  #sent = 0;
  #busy = false;

  constructor(readonly kind: Kind, readonly seat: Seat, number: number) {
    this.name = `${kind.name} ${seat.role} ${number}`;
  }

  /** @param everyMs between an acknowledgement and the next message */
  start(everyMs: number): void {
    this.#running.push(this.#live(), this.#write(everyMs));
  }

  get isConnected(): boolean {
    return this.#wire !== null;
  }

  /** Loses the connection, and has to come again. */
  cut(): void {
    this.#wire?.cut();
  }

  /** Nothing of its own is on the way. */
  get isQuiet(): boolean {
    return !this.#busy;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wire?.close();
    this.#changed();
    await Promise.all(this.#running);
  }

  /** Waits for something about this member, which is looked at whenever it heard or did anything. */
  async until(holds: () => boolean, what: string, ms: number): Promise<void> {
    const deadline = Date.now() + ms;
    while (!holds()) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${this.name} waited ${ms} ms for ${what}`);
      await Promise.race([this.#wake.promise, later(Math.min(left, 50))]);
    }
  }

  #changed(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  #hear(seq: number, content: string): void {
    const last = this.heard.at(-1);
    if (last !== undefined && seq <= last.seq) {
      this.violations.push(`heard ${seq} "${content}" after ${last.seq} "${last.content}"`);
    }
    this.heard.push({ seq, content });
    this.#changed();
  }

  #learn(seq: number, content: string): void {
    const at = this.heard.findLastIndex((one) => one.seq <= seq);
    if (this.heard[at]?.seq !== seq) this.heard.splice(at + 1, 0, { seq, content });
    this.#changed();
  }

  #refused(error: unknown, at: string): number {
    if (!(error instanceof RefusedError)) {
      // A connection that cannot be made is no refusal of the server's.
      if (!(error instanceof LostError)) this.violations.push(`${at}: ${(error as Error).stack}`);
      return 0;
    }
    this.refusals.push({ protocol: this.kind.name, ...error.refusal });
    return Math.min(error.refusal.retryAfter ?? 500, 1000);
  }

  /** Connected, as much as that is possible. */
  async #live(): Promise<void> {
    const memory = {};
    const ears: Ears = {
      memory,
      hear: (seq, content) => this.#hear(seq, content),
      learn: (seq, content) => this.#learn(seq, content),
      away: (code, reason) => void this.violations.push(`sent away with ${code} "${reason}"`),
      lastSeq: () => this.heard.at(-1)?.seq ?? 0,
    };
    for (let failures = 0; !this.#stopped;) {
      try {
        const wire = await within(this.kind.connect(this.seat, ears), "connect");
        failures = 0;
        this.#wire = wire;
        this.#changed();
        if (this.#stopped) wire.close();
        await wire.lost;
      } catch (error) {
        await later(this.#refused(error, "connect"));
      }
      this.#wire = null;
      this.#changed();
      await later(Math.min(RECONNECT_MS[0] * 2 ** failures++, RECONNECT_MS[1]));
    }
  }

  async #write(everyMs: number): Promise<void> {
    while (!this.#stopped) {
      if (this.paused) {
        await later(20);
        continue;
      }
      this.#busy = true;
      const number = ++this.#sent;
      await this.#deliver(`${this.kind.name.replaceAll(" ", "")}-${number}`, number);
      this.#busy = false;
      this.#changed();
      await later(everyMs);
    }
  }

  /** Until it is acknowledged. */
  async #deliver(id: string, number: number): Promise<void> {
    const content = `${this.name}: ${number}`;
    while (!this.#stopped) {
      const wire = this.#wire;
      if (wire === null) {
        await Promise.race([this.#wake.promise, later(100)]);
        continue;
      }
      try {
        await within(wire.send(id, content), "message");
        this.acked.push({ content, at: Date.now() });
        this.#changed();
        return;
      } catch (error) {
        const wait = this.#refused(error, "message");
        if ((error as RefusedError).refusal?.code === "silence") wire.close();
        await later(wait === 0 ? 20 : wait);
      }
    }
  }
}
