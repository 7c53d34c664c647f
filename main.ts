import { boot } from "./boot.ts";

const { config, parley, serve, announce } = await boot({ parallel: false });

const server = Deno.serve({
  port: config.PORT,
  hostname: config.HOST,
  tcpBacklog: config.MAX_PENDING_CONNECTIONS,
  onListen: ({ port }) => announce(port),
}, serve);

let stopping = false;
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.addSignalListener(signal, async () => {
    if (stopping) return;
    stopping = true;
    // Hosts kill what does not end within five seconds; what was acknowledged is stored by then.
    setTimeout(() => Deno.exit(0), 4800);
    await parley.stop();
    await server.shutdown();
    Deno.exit(0);
  });
}
