/**
 * What stands before an instance on Deno Deploy, as far as it can be seen in the runtime: it ends
 * TLS, passes requests on over a socket that is not TCP (DENO_SERVE_ADDRESS), and names the client in
 * a header that the runtime takes for the peer's address (DENO_TRUST_PROXY_HEADERS).
 */
export interface Edge {
  /** "http://127.0.0.1:port" */
  url: string;
  close(): void;
}

/**
 * @param target path of the instance's socket, asked for each connection: the edge decides anew
 * @param client the address that it names
 */
export function openEdge(target: () => string, client = "203.0.113.9"): Edge {
  const connections = new Set<Deno.Conn>();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  function end(...ended: Deno.Conn[]): void {
    for (const connection of ended) if (connections.delete(connection)) connection.close();
  }

  /** @param first changes the first bytes, which begin with the request's first line. */
  async function pump(
    from: Deno.Conn,
    to: Deno.Conn,
    first: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const buffer = new Uint8Array(65_536);
    let change: typeof first | null = first;
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        const part = buffer.subarray(0, count);
        const bytes: Uint8Array<ArrayBuffer> = change === null ? part : change(part);
        change = null;
        for (let sent = 0; sent < bytes.length;) sent += await to.write(bytes.subarray(sent));
      }
    } catch {
      // Ended by the other side, or by `close`.
    }
    end(from, to);
  }

  function named(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const at = bytes.indexOf(10) + 1;
    const header = new TextEncoder().encode(`x-deno-client-address: [::ffff:${client}]:5678\r\n`);
    const result = new Uint8Array(bytes.length + header.length);
    result.set(bytes.subarray(0, at));
    result.set(header, at);
    result.set(bytes.subarray(at), at + header.length);
    return result;
  }

  async function accept(): Promise<void> {
    for await (const outside of listener) {
      const inside = await Deno.connect({ transport: "unix", path: target() }).catch(() => null);
      if (inside === null) {
        outside.close();
        continue;
      }
      connections.add(outside).add(inside);
      void pump(outside, inside, named);
      void pump(inside, outside, (bytes) => bytes);
    }
  }

  void accept();
  return {
    url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    close() {
      end(...connections);
      listener.close();
    },
  };
}
