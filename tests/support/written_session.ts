/**
 * Sessions as the pages of `docs/protocols/` write them down, one line for each thing that is sent
 * (`→`) or received (`←`), and a replay of them on a running server:
 *
 * ```text
 * http    → POST /api/auth/login {"email":"ada@example.com","password":"…"}
 * http    ← 200 {"token":"eyJhbGciOi…","user":{…}}
 * agent   → connect /realtime parley.v1
 * agent   ← {"type":"welcome",…}
 * agent   → disconnect
 * ```
 *
 * A request may name its credentials: `→ GET /api/users Authorization: Bearer eyJhbGciOi… {body}`.
 * Ids, times and secrets differ in each run. The first `←` line that has one binds it to the real
 * one: later lines must have the same, and `→` lines are sent with it.
 */
import { within } from "./deadline.ts";

export interface WrittenLine {
  who: string;
  direction: "→" | "←";
  text: string;
}

// deno-lint-ignore no-explicit-any -- what a page shows is compared field by field
type Json = any;

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const HEX = /\b[0-9a-f]{8,}\b/g;
const REQUEST = /^(GET|POST|PATCH|DELETE) (\S+)(?: Authorization: (Bearer \S+))?(?: (\{.*\}))?$/s;

/** The lines of the block of text below the heading "A complete session". @throws without one. */
export function writtenSession(page: string): WrittenLine[] {
  const block = /^## A complete session\n.*?^```text\n(.*?)^```$/ms.exec(page)?.[1];
  if (block === undefined) throw new Error('Cannot find "## A complete session" with a block');
  return block.trimEnd().split("\n").map((line) => {
    const [, who, direction, text] = /^(\w+) +([→←]) (.*)$/.exec(line) ?? [];
    if (who === undefined) throw new Error(`Cannot read the line: "${line}"`);
    return { who, direction: direction as "→" | "←", text: text! };
  });
}

/** What is in each frame: digits of Engine.IO and Socket.IO, and JSON. */
export function readFrame(text: string): { digits: string; json: Json } {
  const digits = /^\d*(?=[[{]|$)/.exec(text)?.[0] ?? "";
  const rest = text.slice(digits.length);
  return { digits, json: rest === "" ? null : JSON.parse(rest) };
}

/** Written values, and the real ones in their place. */
export class Bindings {
  constructor(readonly real = new Map<string, string>()) {}

  /** The text with real values in place of the written ones. */
  put(text: string): string {
    const written = [...this.real.keys()].sort((a, b) => b.length - a.length);
    return written.reduce((all, name) => all.replaceAll(name, this.real.get(name)!), text);
  }

  /** Where the real value differs from the written one, or null; binds what differs in each run. */
  difference(written: Json, real: Json, path = ""): string | null {
    if (typeof written === "string" && typeof real === "string") {
      return this.#text(written, real, path);
    }
    if (typeof written !== "object" || typeof real !== "object" || !written || !real) {
      return written === real
        ? null
        : `${path}: ${JSON.stringify(real)} instead of ${JSON.stringify(written)}`;
    }
    const names = Object.keys(written).sort().join();
    if (names !== Object.keys(real).sort().join()) {
      return `${path}: the fields ${Object.keys(real).sort()} instead of ${names}`;
    }
    for (const name of Object.keys(written)) {
      const found = this.difference(written[name], real[name], `${path}.${name}`);
      if (found !== null) return found;
    }
    return null;
  }

  #text(written: string, real: string, path: string): string | null {
    const bound = this.real.get(written);
    const wrong = `${path}: ${JSON.stringify(real)} instead of ${JSON.stringify(written)}`;
    if (bound !== undefined) return bound === real ? null : `${wrong}, which was "${bound}"`;
    const shape = (text: string) =>
      text.replace(TIME, "time").replace(UUID, "uuid").replace(HEX, "hex");
    if (!written.includes("…")) {
      if (shape(written) !== shape(real)) return wrong;
      // What has no id is the same text, or a time.
      if (shape(written) === written || written.replace(TIME, "") === "") return null;
    }
    if ([...this.real.values()].includes(real)) return `${wrong}: it has another name above`;
    this.real.set(written, real);
    return null;
  }
}

class Peer {
  readonly frames: string[] = [];
  readonly #socket: WebSocket;
  readonly #closed: Promise<unknown>;
  #wake = () => {};
  over = false;

  constructor(url: string, protocols: string[]) {
    this.#socket = new WebSocket(url.replace(/^http/, "ws"), protocols);
    this.#socket.onmessage = ({ data }) => {
      this.frames.push(...String(data).split("\n"));
      this.#wake();
    };
    this.#socket.onerror = () => {};
    this.#closed = new Promise((resolve) => {
      this.#socket.onclose = (event) => {
        this.over = true;
        this.#wake();
        resolve(event);
      };
    });
  }

  opened(): Promise<unknown> {
    return new Promise((resolve) => this.#socket.onopen = resolve);
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** The next time that something arrives. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.#closed;
  }
}

/** Sends the `→` lines to a server and waits for the `←` lines. @throws where one does not come. */
export class Replay {
  readonly peers = new Map<string, Peer>();
  #answer: { status: number; body: Json } | null = null;

  constructor(readonly url: string, readonly bindings = new Bindings()) {}

  async run(lines: WrittenLine[]): Promise<void> {
    for (const { who, direction, text } of lines) {
      if (direction === "→") await this.send(who, this.bindings.put(text));
      else if (who === "http") this.#compare(text);
      else await this.#receive(who, text);
    }
  }

  async send(who: string, text: string): Promise<void> {
    if (who === "http") return await this.#request(text);
    const [word, path, ...protocols] = text.split(" ");
    if (word === "connect") {
      const peer = new Peer(this.url + path, protocols);
      this.peers.set(who, peer);
      return void await within(peer.opened(), `the socket of ${who}`);
    }
    const peer = this.peers.get(who);
    if (peer === undefined) throw new Error(`Cannot send as "${who}": not connected`);
    if (word === "disconnect") return await within(peer.close(), `the end of ${who}`);
    peer.send(text);
  }

  async #request(text: string): Promise<void> {
    const [, method, path, authorization, body] = REQUEST.exec(text) ?? [];
    if (method === undefined) throw new Error(`Cannot read the request: "${text}"`);
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body }),
    });
    const answer = await response.text();
    this.#answer = { status: response.status, body: answer === "" ? null : JSON.parse(answer) };
  }

  /** The answer of the last request. */
  get answer(): { status: number; body: Json } | null {
    return this.#answer;
  }

  #compare(text: string): void {
    const [status, ...rest] = text.split(" ");
    const body = rest.length === 0 ? null : JSON.parse(rest.join(" "));
    const written = { status: Number(status), body };
    const found = this.bindings.difference(written, this.#answer);
    if (found !== null) throw new Error(`Cannot find the answer of the page: ${found}`);
  }

  async #receive(who: string, text: string): Promise<void> {
    const peer = this.peers.get(who);
    if (peer === undefined) throw new Error(`Cannot receive as "${who}": not connected`);
    const written = readFrame(text);
    // Acknowledgements of Socket.IO have no name; their digits say which one it is.
    const kind = (json: Json) => {
      const name = Array.isArray(json) ? json[0] : json?.type;
      return typeof name === "string" ? name : null;
    };
    let why = "nothing of this kind came";
    const look = (): boolean =>
      peer.frames.some((frame, at) => {
        const { digits, json } = readFrame(frame);
        if (digits !== written.digits || kind(json) !== kind(written.json)) return false;
        const trial = new Bindings(new Map(this.bindings.real));
        const found = trial.difference(written.json, json);
        if (found !== null) {
          why = found;
          return false;
        }
        trial.real.forEach((real, name) => this.bindings.real.set(name, real));
        peer.frames.splice(at, 1);
        return true;
      });
    const wait = async () => {
      while (!look()) {
        if (peer.over) throw new Error("the connection ended");
        await peer.next();
      }
    };
    await within(wait(), "the line").catch((error) => {
      throw new Error(`Cannot find what ${who} receives: ${why} (${error.message})\n${text}`);
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.peers.values()].map((peer) => peer.close()));
  }
}
