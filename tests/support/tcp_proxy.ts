/** A way to a service of this machine that can be shut, opened again, and frozen. */
export interface TcpProxy {
  readonly port: number;
  /** Ends every connection, and new ones at once, until `open`. */
  shut(): void;
  open(): void;
  /** While it is frozen nothing of what is sent arrives, either way, and nobody is told. */
  freeze(frozen: boolean): void;
  /**
   * Cuts the next connection whose client sends these one after the other, once: with the last on
   * its way ("after"), so that only the answer is lost, or instead of it ("before").
   *
   * @returns resolves when it has happened
   */
  cut(when: Cutting["when"], ...texts: string[]): Promise<void>;
  /** Lets what was cut "late" arrive after all; resolves when there was time to carry it out. */
  deliver(): Promise<void>;
  /** While it is held nothing arrives, and all of it later, as with a process that is stopped. */
  hold(held: boolean): void;
  close(): void;
}

/** How long what was sent before a cut has to be carried out, in milliseconds. */
const CARRIED_OUT_MS = 300;

interface Cutting {
  /** `late`: the client is cut off, and what it sent is on its way until `deliver`. */
  when: "before" | "after" | "late";
  texts: string[];
  /** How many of them each connection has sent. */
  sent: WeakMap<Deno.Conn, number>;
  done: () => void;
}

export function openTcpProxy(target: { hostname: string; port: number }): TcpProxy {
  const connections = new Set<Deno.Conn>();
  let frozen = false;
  let isShut = false;
  let cutting: Cutting | null = null;
  let held: PromiseWithResolvers<void> | null = null;
  let deliverLate = async () => {};
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  /** The answer is kept back, too: nothing of it may arrive before the cut. */
  const silenced = new Set<Deno.Conn>();

  async function pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        if (frozen || silenced.has(from)) continue;
        const cut = cutting !== null && fits(cutting, from, buffer.subarray(0, count))
          ? cutting
          : null;
        if (cut !== null) {
          cutting = null;
          silenced.add(to);
          if (cut.when === "before") {
            cut.done();
            break;
          }
          if (cut.when === "late") {
            const bytes = buffer.slice(0, count);
            deliverLate = async () => {
              await to.write(bytes);
              await new Promise((resolve) => setTimeout(resolve, CARRIED_OUT_MS));
              end(to);
            };
            end(from);
            cut.done();
            return;
          }
          await to.write(buffer.slice(0, count));
          await new Promise((resolve) => setTimeout(resolve, CARRIED_OUT_MS));
          cut.done();
          break;
        }
        await held?.promise;
        for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
      }
    } catch {
      // Ended by the other side, or by `shut`.
    }
    end(from);
    end(to);
  }

  function fits({ texts, sent }: Cutting, from: Deno.Conn, bytes: Uint8Array): boolean {
    const text = new TextDecoder().decode(bytes);
    let known = sent.get(from) ?? 0;
    while (known < texts.length && text.includes(texts[known]!)) known++;
    sent.set(from, known);
    return known === texts.length;
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
    deliver: () => deliverLate(),
    open: () => void (isShut = false),
    freeze: (next) => void (frozen = next),
    cut: (when, ...texts) =>
      new Promise((done) => cutting = { when, texts, sent: new WeakMap(), done }),
    hold(next) {
      if (next) held ??= Promise.withResolvers();
      else {
        held?.resolve();
        held = null;
      }
    },
    close() {
      shut();
      listener.close();
    },
  };
}
