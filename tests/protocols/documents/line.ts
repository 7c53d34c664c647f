/** The browser's WebSocket as the documents use it: what is sent in `onopen` goes out at once. */

// deno-lint-ignore no-explicit-any -- what the documents show is checked field by field
export type Frame = any;

const DEADLINE_MS = 10_000;

export class Line {
  readonly frames: Frame[] = [];
  readonly socket: WebSocket;
  closing: { code: number; reason: string } | null = null;
  #waiters = new Set<() => void>();

  constructor(
    url: string,
    { onopen, protocols = [], headers }: {
      onopen?: (send: (frame: unknown) => void) => void;
      protocols?: string[];
      headers?: Record<string, string>;
    } = {},
  ) {
    const address = url.replace(/^http/, "ws");
    // Deno takes headers here; the types are those of browsers, which cannot.
    this.socket = headers === undefined
      ? new WebSocket(address, protocols)
      : new WebSocket(address, { headers, protocols } as unknown as string[]);
    this.socket.onopen = () => onopen?.((frame) => this.send(frame));
    this.socket.onmessage = ({ data }) => {
      // The native protocol puts several messages into one frame.
      for (const line of String(data).split("\n")) this.frames.push(JSON.parse(line));
      this.#wake();
    };
    this.socket.onerror = () => {};
    this.socket.onclose = ({ code, reason }) => {
      this.closing = { code, reason };
      this.#wake();
    };
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** The first frame that fits, from number `from` on; waits for it. */
  until(fits: (frame: Frame) => boolean, what: string, from = 0): Promise<Frame> {
    return this.#until(what, () => {
      const index = this.frames.findIndex((frame, at) => at >= from && fits(frame));
      if (index >= 0) return { found: this.frames[index] };
      return this.closing === null ? null : { failed: `closed with ${this.closing.code}` };
    });
  }

  /** As many frames that fit. */
  async untilAll(count: number, fits: (frame: Frame) => boolean, what: string): Promise<Frame[]> {
    return await this.#until<Frame[]>(`${count} × ${what}`, () => {
      const found = this.frames.filter(fits);
      if (found.length >= count) return { found };
      return this.closing === null ? null : { failed: `closed with ${this.closing.code}` };
    });
  }

  untilClosed(): Promise<{ code: number; reason: string }> {
    return this.#until("the close", () => this.closing && { found: this.closing });
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.untilClosed();
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter();
  }

  async #until<T>(
    what: string,
    look: () => { found: T; failed?: undefined } | { failed: string; found?: undefined } | null,
  ): Promise<T> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const seen = look();
      if (seen?.failed === undefined && seen !== null) return seen.found as T;
      const left = deadline - Date.now();
      if (seen !== null || left <= 0) {
        const why = seen?.failed ?? `${DEADLINE_MS} ms`;
        const last = JSON.stringify(this.frames.slice(-10)).slice(0, 2000);
        throw new Error(`Waited in vain for ${what} (${why}); got ${last}`);
      }
      let timer: ReturnType<typeof setTimeout> | undefined;
      let waiter = () => {};
      await new Promise<void>((resolve) => {
        waiter = resolve;
        this.#waiters.add(waiter);
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }
}
