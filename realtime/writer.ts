/** What the hub needs of a socket. Deno's WebSocket has it. */
export interface SocketLike {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

const OPEN = 1;

/** The runtime's buffer is filled up to this; what is queued there cannot be discarded. */
const SOFT_BYTES = 64 * 1024;
/** The largest coalesced frame; a single message that is longer is a frame of its own. */
const FRAME_BYTES = 64 * 1024;

/** The connection of a writer. */
export interface WriterOwner {
  /** `batching`: several messages may share a frame, one on each line. */
  readonly protocol: { readonly batching: boolean };
  /** `queueBytes` may wait, in the runtime and here; past it `onSlow` is called once. */
  readonly limits: { readonly queueBytes: number };
  onSlow(): void;
  /** Asks for `pump` to be called again soon. */
  onWaiting(writer: ConnectionWriter): void;
}

/**
 * The outbound side of a connection: sends at once while the reader keeps up, queues while it does
 * not, and past the bound drops the queue and reports a slow reader, whose connection is closed. No
 * event is lost by that: the client reconnects with its position.
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
    // Without the runtime's buffer: that holds at most 64 KiB and one message, which may be a long
    // answer to a request, and the peer is still reading it.
    if (this.#queuedBytes > this.#owner.limits.queueBytes) {
      this.stop();
      this.#owner.onSlow();
      return;
    }
    if (this.#queue.length === 1) this.#owner.onWaiting(this);
  }

  /** Sends as much as the reader can take. @returns true when nothing waits any more */
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

  /** Discards what waits and sends nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#queue = [];
    this.#queuedBytes = 0;
  }
}
