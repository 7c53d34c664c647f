/** A way to a service of this machine that can be shut, opened again, and frozen. */
export interface TcpProxy {
  readonly port: number;
  /** Ends every connection, and new ones at once, until `open`. */
  shut(): void;
  open(): void;
  /** While it is frozen nothing of what is sent arrives, either way, and nobody is told. */
  freeze(frozen: boolean): void;
  close(): void;
}

export function openTcpProxy(target: { hostname: string; port: number }): TcpProxy {
  const connections = new Set<Deno.Conn>();
  let frozen = false;
  let isShut = false;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  async function pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        if (frozen) continue;
        for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
      }
    } catch {
      // Ended by the other side, or by `shut`.
    }
    end(from);
    end(to);
  }

  function end(connection: Deno.Conn): void {
    if (connections.delete(connection)) connection.close();
  }

  async function accept(): Promise<void> {
    for await (const client of listener) {
      const upstream = isShut ? null : await Deno.connect(target).catch(() => null);
      if (upstream === null || isShut) {
        client.close();
        upstream?.close();
        continue;
      }
      connections.add(client).add(upstream);
      void pump(client, upstream);
      void pump(upstream, client);
    }
  }

  function shut(): void {
    isShut = true;
    for (const connection of [...connections]) end(connection);
  }

  void accept();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    shut,
    open: () => void (isShut = false),
    freeze: (next) => void (frozen = next),
    close() {
      shut();
      listener.close();
    },
  };
}
