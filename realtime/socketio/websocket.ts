import { Buffer } from "node:buffer";
import type { Slot } from "../../domain/capacity.ts";
import { yieldToEventLoop } from "../../domain/event_loop.ts";
import { decodeText } from "./packet.ts";
import type { EngineTransport, Packet } from "./types.ts";

/** Volatile packets are for peers that keep up: past this many bytes in the runtime they are dropped. */
const WRITABLE_BYTES = 64 * 1024;

const CLOSE_TOO_BIG = 1009;

export interface WebSocketOptions {
  /** Bytes of a message; the runtime's own bound is 64 MiB. */
  maxPayload: number;
  onError: (error: unknown) => void;
  /** What it takes up until it is gone, or authenticated. */
  slot: Slot;
  /** The socket is closed for good: nothing of it is left in the runtime. */
  onGone: () => void;
}

/** One websocket, of a session or on its way to become a session's. */
export class WebSocketTransport implements EngineTransport {
  readonly name = "websocket";
  /** The socket can be used. */
  onOpen: () => void = () => {};
  /** Takes what comes in; null for a frame that is not a packet. */
  onPacket: (packet: Packet | null) => void = () => {};
  /** The peer has closed it, or sent more than it may. Not called after `close`. */
  onClose: (error?: Error) => void = () => {};

  readonly #socket: WebSocket;
  readonly #options: WebSocketOptions;
  #over = false;
  #gone = false;

  constructor(socket: WebSocket, options: WebSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#guarded(() => this.onOpen());
    socket.onmessage = (event) => this.#guarded(() => this.#receive(event.data));
    socket.onerror = () => {};
    socket.onclose = () => this.#guarded(() => this.#ended());
  }

  get slot(): Slot {
    return this.#options.slot;
  }

  get writable(): boolean {
    return this.#isOpen && this.#socket.bufferedAmount < WRITABLE_BYTES;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  /** Closed here, and the peer does not let go. */
  get isLingering(): boolean {
    return this.#over && !this.#gone;
  }

  send(packet: string | Uint8Array<ArrayBuffer>): void {
    if (this.#isOpen) this.#socket.send(packet);
  }

  close(code?: number): void {
    if (this.#over) return;
    this.#over = true;
    // In the next turn: closed while a message is being handled and more have arrived, Deno drops
    // the TCP connection and what was just sent with it.
    void yieldToEventLoop().then(() => {
      try {
        this.#socket.close(code);
      } catch {
        // Already closing.
      }
    });
  }

  get #isOpen(): boolean {
    return !this.#over && this.#socket.readyState === WebSocket.OPEN;
  }

  #receive(data: string | ArrayBuffer): void {
    if (this.#over) return;
    const { maxPayload } = this.#options;
    const bytes = typeof data === "string" ? textBytes(data, maxPayload) : data.byteLength;
    if (bytes > maxPayload) {
      this.close(CLOSE_TOO_BIG);
      this.onClose(new Error(`Cannot read the message: ${bytes} bytes are over ${maxPayload}`));
    } else if (typeof data === "string") {
      this.onPacket(decodeText(data));
    } else {
      this.onPacket({ type: "message", data: new Uint8Array(data) });
    }
  }

  #ended(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.slot.release();
    this.#options.onGone();
    if (this.#over) return;
    this.#over = true;
    this.onClose();
  }

  /** A throw in a callback of a socket would end the process. */
  #guarded(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

/** UTF-8 length; counted only where it can matter. */
function textBytes(text: string, limit: number): number {
  return text.length * 3 <= limit ? text.length : Buffer.byteLength(text);
}
