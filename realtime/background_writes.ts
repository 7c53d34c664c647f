import type { ConnectionLimits } from "./connection_limits.ts";

/** The commands of a connection that are being stored while later ones are handled already. */
export class BackgroundWrites {
  readonly #limits: ConnectionLimits;
  readonly #running = new Set<Promise<void>>();
  #bytes = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  add(work: Promise<void>, bytes: number): void {
    const running = this.#running;
    const done = work.finally(() => {
      running.delete(done);
      this.#bytes -= bytes;
    });
    running.add(done);
    this.#bytes += bytes;
  }

  get isFull(): boolean {
    const { pendingFrames, queueBytes } = this.#limits;
    return this.#running.size >= pendingFrames || this.#bytes > queueBytes / 8;
  }

  /** Resolves when one of them is done. */
  anyDone(): Promise<void> {
    return Promise.race(this.#running);
  }

  allDone(): Promise<unknown> {
    return Promise.all(this.#running);
  }
}
