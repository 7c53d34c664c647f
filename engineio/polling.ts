import { Buffer } from "node:buffer";
import { encodeForPolling, SEPARATOR } from "./packet.ts";
import { textResponse } from "./responses.ts";
import type { EngineTransport } from "./types.ts";

/**
 * The outbound half of long polling: packets wait here until a GET takes all of them. A GET that
 * finds none is held until there is one.
 */
export class PollingTransport implements EngineTransport {
  readonly name = "polling";
  readonly #onDrain: () => void;
  #waiting: (string | Uint8Array<ArrayBuffer>)[] = [];
  #waitingBytes = 0;
  #takenBytes = 0;
  #answer: ((response: Response) => void) | null = null;
  #flushing = false;

  constructor(onDrain: () => void) {
    this.#onDrain = onDrain;
  }

  /** Whether a poll is being held. */
  get writable(): boolean {
    return this.#answer !== null;
  }

  /** What waits, and the last response until the next poll confirms that it arrived. */
  get bufferedAmount(): number {
    return this.#waitingBytes + this.#takenBytes;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  send(packet: string | Uint8Array<ArrayBuffer>): void {
    this.#waiting.push(packet);
    this.#waitingBytes += typeof packet === "string"
      ? Buffer.byteLength(packet)
      : Math.ceil(packet.byteLength / 3) * 4;
    if (this.#answer === null || this.#flushing) return;
    // After the current task, so that packets sent together share one response.
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      if (this.#answer !== null && this.#waiting.length > 0) this.#answerPoll(this.#take());
    });
  }

  /** A poll arrived, so the response to the poll before it was received. */
  acknowledge(): void {
    this.#takenBytes = 0;
  }

  /** Everything that waits, as the response to a poll. */
  respond(): Response {
    return textResponse(this.#take());
  }

  /** Keeps a poll until there is something to send. */
  hold(answer: (response: Response) => void): void {
    this.#answer = answer;
  }

  /** Ends the poll that is held, if there is one, with what waits and one more packet. */
  release(packet: string): void {
    if (this.#answer === null) return;
    this.#waiting.push(packet);
    this.#answerPoll(this.#take());
  }

  /** Removes what waits, for another transport. */
  takePackets(): (string | Uint8Array<ArrayBuffer>)[] {
    const packets = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return packets;
  }

  #answerPoll(body: string): void {
    const answer = this.#answer;
    this.#answer = null;
    answer?.(textResponse(body));
  }

  #take(): string {
    this.#takenBytes = this.#waitingBytes;
    const body = this.takePackets().map(encodeForPolling).join(SEPARATOR);
    this.#onDrain();
    return body;
  }
}
