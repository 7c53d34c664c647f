/** What the hub needs of a socket; Deno's WebSocket fits. */
export interface SocketLike {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

const OPEN = 1;

/** Below this the runtime's own buffer may be filled; what is queued there cannot be taken back. */
const SOFT_BYTES = 64 * 1024;
/** One coalesced frame at most; a longer single message goes out alone. */
const FRAME_BYTES = 64 * 1024;

/** Whose writer it is: the connection. */
export interface WriterOwner {
  /** `batching`: several messages may share a frame, one a line. */
  readonly protocol: { readonly batching: boolean };
  /** `queueBytes` may wait, in the runtime and here; past it `onSlow` is called once. */
  readonly limits: { readonly queueBytes: number };
  onSlow(): void;
  /** Asks for `pump` to be called again soon. */
  onWaiting(writer: ConnectionWriter): void;
}

/**
 * The outbound side of a connection: sends at once while the reader keeps up, queues while it does
 * not, and past the bound drops everything and lets the reader go. Nothing is lost by that: a
 * client recovers by its position.
 */
export class ConnectionWriter {
  readonly #socket: SocketLike;
  readonly #owner: WriterOwner;
  #queue: string[] = [];
  #queuedBytes = 0;
  #stopped = false;

  constructor(socket: SocketLike, owner: WriterOwner) {
    this.#socket = socket;
    this.#owner = owner;
  }

  /** Characters that wait here. */
  get queued(): number {
    return this.#queuedBytes;
  }

  /** Bytes that wait, here and in the runtime. */
  get waitingBytes(): number {
    return this.#queuedBytes + this.#socket.bufferedAmount;
  }

  /** One message, or several that the caller joined by newlines for a batching protocol. */
  write(text: string): void {
    if (this.#stopped) return;
    const socket = this.#socket;
    if (socket.readyState !== OPEN) return;
    if (this.#queue.length === 0 && socket.bufferedAmount < SOFT_BYTES) {
      socket.send(text);
      return;
    }
    this.#queue.push(text);
    this.#queuedBytes += text.length;
    // Not with what the runtime holds: that is at most 64 KiB and one message, and the one message
    // may be a long answer that this peer asked for and is still reading.
    if (this.#queuedBytes > this.#owner.limits.queueBytes) {
      this.stop();
      this.#owner.onSlow();
      return;
    }
    if (this.#queue.length === 1) this.#owner.onWaiting(this);
  }

  /** Sends what the reader can take. Returns true when nothing waits any more. */
  pump(): boolean {
    const socket = this.#socket;
    const { batching } = this.#owner.protocol;
    while (this.#queue.length > 0 && socket.readyState === OPEN) {
      if (socket.bufferedAmount >= SOFT_BYTES) return false;
      let count = 1;
      let bytes = this.#queue[0]!.length;
      while (batching && count < this.#queue.length) {
        bytes += this.#queue[count]!.length + 1;
        if (bytes > FRAME_BYTES) break;
        count++;
      }
      const frame = this.#queue.splice(0, count);
      for (const text of frame) this.#queuedBytes -= text.length;
      socket.send(frame.length === 1 ? frame[0]! : frame.join("\n"));
    }
    return true;
  }

  /** Forgets what waits and sends nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#queue = [];
    this.#queuedBytes = 0;
  }
}
