import { setImmediate } from "node:timers";
import { FIRST_SEQ, makeEvent } from "./event.mjs";

export type BenchEvent = ReturnType<typeof makeEvent>;

/**
 * The same control port as in node_control.mjs: "b" triggers a burst of 32 events, "m" one event.
 * "s" replies with `stats` as a line of JSON, after a garbage collection where the runtime allows
 * it.
 */
export function control(
  port: number,
  broadcast: (events: BenchEvent[]) => void,
  stats: () => Record<string, unknown> = () => ({}),
): void {
  let seq = FIRST_SEQ;
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  void (async () => {
    for await (const connection of listener) void serve(connection);
  })();

  async function serve(connection: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(1024);
    for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) {
      for (const byte of buffer.subarray(0, n)) {
        if (byte === 115) {
          (globalThis as { gc?: () => void }).gc?.();
          await connection.write(new TextEncoder().encode(`${JSON.stringify(stats())}\n`));
        } else {
          setImmediate(() => {
            const events: BenchEvent[] = [];
            for (let i = byte === 98 ? 32 : 1; i > 0; i--) events.push(makeEvent(seq++));
            broadcast(events);
          });
        }
      }
    }
  }

  console.log(JSON.stringify({ port, control: (listener.addr as Deno.NetAddr).port }));
}
