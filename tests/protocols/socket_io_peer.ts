/** The official Socket.IO client, with everything that it heard, and a network that can be cut. */
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";

// deno-lint-ignore no-explicit-any -- what the documents show is checked field by field
export type Data = any;

export interface Heard {
  event: string;
  data: Data;
  /** Of an event that recovery counts: its last argument. */
  offset?: string;
}

export type Transport = "polling" | "websocket";

export interface PeerOptions {
  auth?: Record<string, unknown>;
  transports?: Transport[];
  options?: Partial<ManagerOptions & SocketOptions>;
}

export class SocketIoPeer {
  readonly socket: Socket;
  readonly heard: Heard[] = [];
  #waiters: (() => void)[] = [];

  constructor(url: string, { auth, transports = ["websocket"], options = {} }: PeerOptions = {}) {
    this.socket = io(url, {
      transports,
      forceNew: true,
      reconnectionDelay: 10,
      reconnectionDelayMax: 50,
      ...(auth === undefined ? {} : { auth }),
      ...options,
    });
    const note = (event: string, data: Data, offset?: string) => {
      this.heard.push(offset === undefined ? { event, data } : { event, data, offset });
      for (const waiter of this.#waiters.splice(0)) waiter();
    };
    this.socket.onAny((event, data, offset) => note(event, data, offset));
    this.socket.on("connect", () => note("connect", { recovered: this.socket.recovered }));
    this.socket.on("disconnect", (reason) => note("disconnect", reason));
    this.socket.on("connect_error", (error) => note("connect_error", error.message));
  }

  /** The first that fits, among all that was heard from `from` on; waits for it. */
  async until(
    event: string,
    fits: (data: Data) => boolean = () => true,
    from = 0,
    ms = 30_000,
  ): Promise<Data> {
    const deadline = Date.now() + ms;
    for (;;) {
      const found = this.heard.slice(from).find((one) => one.event === event && fits(one.data));
      if (found !== undefined) return found.data;
      const left = deadline - Date.now();
      if (left <= 0) {
        throw new Error(`Waited ${ms} ms for ${event}; heard ${JSON.stringify(this.heard)}`);
      }
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([
        new Promise<void>((resolve) => this.#waiters.push(resolve)),
        new Promise<void>((resolve) => timer = setTimeout(resolve, left)),
      ]);
      clearTimeout(timer);
    }
  }

  all(event: string): Data[] {
    return this.heard.filter((one) => one.event === event).map(({ data }) => data);
  }

  /** Emits and waits for the acknowledgement. */
  ask(event: string, ...args: unknown[]): Promise<Data> {
    return this.socket.timeout(30_000).emitWithAck(event, ...args);
  }

  async close(): Promise<void> {
    if (!this.socket.active) return;
    const wasConnected = this.socket.connected;
    const from = this.heard.length;
    this.socket.disconnect();
    if (wasConnected) await this.until("disconnect", undefined, from);
  }
}

/** Connected and authenticated by the handshake. */
export async function connectPeer(
  server: { url: string },
  auth: Record<string, unknown>,
  transports?: Transport[],
): Promise<SocketIoPeer> {
  const peer = new SocketIoPeer(server.url, { auth, ...(transports ? { transports } : {}) });
  await peer.until("authenticated");
  return peer;
}

export interface Network {
  url: string;
  /** Ends every TCP connection, and refuses new ones until `mend`. */
  cut(): void;
  /** From now on nothing that the server says arrives. */
  deafen(): void;
  /** Ends every connection for the client alone: the server goes on believing in it. */
  strand(): void;
  mend(): void;
  close(): Promise<void>;
}

interface Pair {
  client: Deno.Conn;
  server: Deno.Conn;
  isStranded: boolean;
}

/** A TCP proxy before the server. */
export function network(target: string): Network {
  const { hostname, port } = new URL(target);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const pairs = new Set<Pair>();
  let isUp = true;
  let isDeaf = false;

  const end = (conn: Deno.Conn) => {
    try {
      conn.close();
    } catch {
      // Closed by the other direction.
    }
  };

  async function forward(pair: Pair, isDown: boolean): Promise<void> {
    const [from, to] = isDown ? [pair.server, pair.client] : [pair.client, pair.server];
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        if (isDown && (isDeaf || pair.isStranded)) continue;
        let written = 0;
        while (written < count) written += await to.write(buffer.subarray(written, count));
      }
    } catch {
      // Cut.
    }
    end(from);
    if (pair.isStranded && !isDown) return;
    end(to);
    pairs.delete(pair);
  }

  const serving = (async () => {
    const running: Promise<void>[] = [];
    for await (const client of listener) {
      if (!isUp) {
        client.close();
        continue;
      }
      try {
        const server = await Deno.connect({ hostname, port: Number(port) });
        const pair = { client, server, isStranded: false };
        pairs.add(pair);
        running.push(forward(pair, false), forward(pair, true));
      } catch {
        client.close();
      }
    }
    await Promise.all(running);
  })();

  const cut = () => {
    isUp = false;
    for (const { client, server } of [...pairs]) {
      end(client);
      end(server);
    }
  };
  return {
    url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    cut,
    deafen: () => void (isDeaf = true),
    strand() {
      for (const pair of pairs) {
        pair.isStranded = true;
        end(pair.client);
      }
    },
    mend() {
      isUp = true;
      isDeaf = false;
    },
    async close() {
      cut();
      listener.close();
      await serving;
    },
  };
}
