import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import { decodeText } from "./packet.ts";
import type { EngineTransport, Packet, Slot } from "./types.ts";

/** With more bytes than this in the runtime's buffer, socket.io drops volatile packets. */
const WRITABLE_BYTES = 64 * 1024;

const CLOSE_TOO_BIG = 1009;

export interface WebSocketOptions {
  /** Bytes of a message; the runtime's own bound is 64 MiB. */
  maxPayload: number;
  onError: (error: unknown) => void;
  /** Released when the socket is gone, if not before. */
  slot: Slot;
  /** The socket is closed on both sides, and the runtime has released it. */
  onGone: () => void;
}

/** One WebSocket: of a session, or a candidate for the upgrade of one. */
export class WebSocketTransport implements EngineTransport {
  readonly name = "websocket";
  /** The socket is open. */
  onOpen: () => void = () => {};
  /** For each frame that is received; null for one that is not a packet. */
  onPacket: (packet: Packet | null) => void = () => {};
  /** The peer has closed it, or sent a frame that is too large. Not called after `close`. */
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

  /** Closed on this side, and not yet by the peer. */
  get isLingering(): boolean {
    return this.#over && !this.#gone;
  }

  send(packet: string | Uint8Array<ArrayBuffer>): void {
    if (this.#isOpen) this.#socket.send(packet);
  }

  close(code?: number): void {
    if (this.#over) return;
    this.#over = true;
    // In the next turn of the event loop: if a socket is closed while a message is handled and more
    // have arrived, Deno drops the TCP connection together with what was just sent.
    setImmediate(() => {
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

  /** An exception in a socket's callback would end the process. */
  #guarded(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

/** UTF-8 length; counted only when it can be over the limit. */
function textBytes(text: string, limit: number): number {
  return text.length * 3 <= limit ? text.length : Buffer.byteLength(text);
}
