/**
 * A TCP proxy between real clients and a real server that makes a network's faults happen on
 * demand, each connection apart. It knows WebSocket frames, so that a fault can be put between a
 * message and its acknowledgement.
 */
import net from "node:net";
import { concat, endOfHead, type Frame, FrameReader, OPCODE, textOf } from "./frames.ts";

export type Direction = "up" | "down";

export interface FaultProxy {
  /** "http://127.0.0.1:port" */
  url: string;
  /** Every connection that was ever made, oldest first. */
  readonly links: Link[];
  /** Those that forward at this moment. */
  readonly live: Link[];
  /** Where new connections lead. */
  target: string;
  /** Ends everything. */
  close(): Promise<void>;
}

/** One frame that came to the proxy, and whether it went on. */
export interface Passed {
  direction: Direction;
  opcode: number;
  text: string;
  forwarded: boolean;
}

interface Line {
  type: string;
  id?: string | number;
}

/** What a frame says, line by line; nothing for frames without text. */
function linesOf(frame: Frame): Line[] {
  if (frame.opcode !== OPCODE.text) return [];
  return textOf(frame).split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      return [];
    }
  });
}

const WRITES = ["message", "edit_message", "delete_message"];
const EVENTS = ["message", "message_updated", "message_deleted", "conversation_changed", "hidden"];
const isEvent = (line: Line) => EVENTS.includes(line.type);
const isWrite = (line: Line) => WRITES.includes(line.type) && line.id !== undefined;

/** One client's connection and the connection to the server that belongs to it. */
export class Link {
  readonly log: Passed[] = [];
  readonly over: Promise<void>;
  #client: net.Socket;
  #server: net.Socket;
  #over = Promise.withResolvers<void>();
  #isOver = false;
  #halfOpen = false;
  #delayMs = 0;
  #dueAt = { up: 0, down: 0 };
  #noPongs = false;
  #copies = 0;
  #duplicated = Promise.withResolvers<void>();
  #swallowDown = false;
  #toLose: PromiseWithResolvers<void> | null = null;
  #cut: { ids: Set<string | number>; done: PromiseWithResolvers<string> } | null = null;
  #strandNext: PromiseWithResolvers<void> | null = null;
  #strand: { held: Frame[]; done: PromiseWithResolvers<void> } | null = null;
  #awaited: { ids: Set<string | number>; done: PromiseWithResolvers<void> } | null = null;

  /** Made by the proxy. */
  constructor(client: net.Socket, server: net.Socket) {
    this.#client = client;
    this.#server = server;
    this.over = this.#over.promise;
    this.#forward(client, server, "up");
    this.#forward(server, client, "down");
  }

  /** Whether both sides are there and connected with one another. */
  get isLive(): boolean {
    return !this.#isOver && !this.#halfOpen && this.#strand === null;
  }

  /** Resets both connections, in the middle of whatever they do. */
  drop(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
    this.#end();
  }

  /** Nothing arrives any more on either side, and neither is told. */
  halfOpen(): void {
    this.#halfOpen = true;
  }

  /** Every frame takes this long in each direction, in milliseconds; their order stays. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Answers to WebSocket pings get lost, everything else arrives. */
  suppressPongs(): void {
    this.#noPongs = true;
  }

  /** The client's next write arrives twice, as after a resend. Resolves when that happened. */
  duplicate(): Promise<void> {
    this.#copies++;
    return this.#duplicated.promise;
  }

  /** The next stored event on its way to the client is lost, and nothing else. */
  lose(): Promise<void> {
    this.#toLose ??= Promise.withResolvers();
    return this.#toLose.promise;
  }

  /**
   * Lets the client's next write through to the server, swallows everything that comes back, and
   * resets the connection once the server has answered: it is stored, and the client cannot know.
   * Resolves with the answer that was lost.
   */
  cutBeforeAck(): Promise<string> {
    this.#cut ??= { ids: new Set(), done: Promise.withResolvers() };
    return this.#cut.done.promise;
  }

  /**
   * Holds the client's next write back and resets the client's side only. The server believes that
   * the client is still there; `release` lets the old write arrive after newer ones of the client's
   * next connection. Resolves when a write is held.
   */
  strand(): Promise<void> {
    this.#strandNext ??= Promise.withResolvers();
    return this.#strandNext.promise;
  }

  /** Delivers what `strand` held, waits for the server's answer, and ends the connection. */
  async release(): Promise<void> {
    const held = this.#strand?.held ?? [];
    const ids = new Set(held.flatMap(linesOf).flatMap((line) => line.id ?? []));
    this.#awaited = { ids, done: Promise.withResolvers() };
    for (const frame of held) this.#server.write(frame.raw);
    if (ids.size > 0) await Promise.race([this.#awaited.done.promise, this.over]);
    this.drop();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#over.resolve();
  }

  #forward(from: net.Socket, to: net.Socket, direction: Direction): void {
    const reader = new FrameReader();
    let head: Uint8Array | null = new Uint8Array();
    from.on("data", (chunk: Uint8Array) => {
      let bytes = new Uint8Array(chunk);
      if (head !== null) {
        head = concat(head, bytes);
        const end = endOfHead(head);
        if (end < 0) return;
        if (!this.#halfOpen) to.write(head.slice(0, end));
        bytes = head.slice(end) as Uint8Array<ArrayBuffer>;
        head = null;
      }
      for (const frame of reader.push(bytes)) this.#pass(frame, to, direction);
    });
    // Whoever is half-open or stranded does not learn that the other side has gone.
    const ended = (reset: boolean) => {
      if (this.#halfOpen || (this.#strand !== null && direction === "up")) return;
      // What was delayed is still delivered before the end.
      setTimeout(() => {
        if (reset) to.resetAndDestroy();
        else to.end();
        this.#end();
      }, Math.max(0, this.#dueAt[direction] - Date.now()));
    };
    from.on("end", () => ended(false));
    from.on("error", () => ended(true));
  }

  #pass(frame: Frame, to: net.Socket, direction: Direction): void {
    const out = direction === "up" ? this.#up(frame) : this.#down(frame);
    this.log.push({
      direction,
      opcode: frame.opcode,
      text: frame.opcode === OPCODE.text ? textOf(frame) : "",
      forwarded: out.length > 0,
    });
    for (const one of out) this.#write(one, to, direction);
  }

  #write(frame: Frame, to: net.Socket, direction: Direction): void {
    const now = Date.now();
    const due = Math.max(this.#dueAt[direction], now + this.#delayMs);
    if (due <= now) {
      to.write(frame.raw);
      return;
    }
    this.#dueAt[direction] = due;
    setTimeout(() => {
      if (!to.destroyed) to.write(frame.raw);
    }, due - now);
  }

  /** The frames that go on to the server in place of this one. */
  #up(frame: Frame): Frame[] {
    if (this.#halfOpen) return [];
    if (frame.opcode === OPCODE.pong && this.#noPongs) return [];
    const writes = linesOf(frame).filter(isWrite);
    if (writes.length === 0) return this.#strand === null ? [frame] : [];
    if (this.#strandNext !== null) {
      this.#strand ??= { held: [], done: this.#strandNext };
      this.#strand.held.push(frame);
      this.#client.resetAndDestroy();
      this.#strand.done.resolve();
      return [];
    }
    if (this.#cut !== null) {
      for (const { id } of writes) this.#cut.ids.add(id!);
      this.#swallowDown = true;
    }
    if (this.#copies > 0) {
      this.#copies--;
      this.#duplicated.resolve();
      this.#duplicated = Promise.withResolvers();
      return [frame, frame];
    }
    return [frame];
  }

  /** The frames that go on to the client in place of this one. */
  #down(frame: Frame): Frame[] {
    const lines = linesOf(frame);
    if (this.#toLose !== null && lines.length > 0 && lines.every(isEvent)) {
      this.#toLose.resolve();
      this.#toLose = null;
      return [];
    }
    for (const line of lines) {
      const answers = (line.type === "ack" || line.type === "error") && line.id !== undefined;
      if (!answers) continue;
      if (this.#awaited?.ids.has(line.id!)) this.#awaited.done.resolve();
      if (this.#cut?.ids.has(line.id!)) {
        this.#cut.done.resolve(JSON.stringify(line));
        this.drop();
        return [];
      }
    }
    if (frame.opcode === OPCODE.pong && this.#noPongs) return [];
    return this.#halfOpen || this.#swallowDown || this.#strand !== null ? [] : [frame];
  }
}

/** Starts a proxy on a free port. @param target the server's "http://host:port" */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const links: Link[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const { hostname, port } = new URL(proxy.target);
    const upstream = net.connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("close", () => sockets.delete(socket));
    }
    links.push(new Link(client, upstream));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    links,
    get live() {
      return links.filter((link) => link.isLive);
    },
    target,
    async close() {
      const done = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await done;
    },
  };
  return proxy;
}
