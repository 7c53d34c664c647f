import { boot, refuse } from "./boot.ts";
import { listen, type Listening } from "./listening.ts";

const { config, serve, failed, start, announce, stop } = await boot({ parallel: false });

// Before the database: who asks meanwhile is told to ask again, and a port that is taken ends the
// start before anything was touched.
let listening: Listening;
try {
  listening = listen({
    port: config.PORT,
    hostname: config.HOST,
    backlog: config.MAX_PENDING_CONNECTIONS,
    handler: serve,
    onError: failed,
  });
} catch (error) {
  refuse(error);
}

let stopping = false;
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.addSignalListener(signal, async () => {
    if (stopping) return;
    stopping = true;
    // Hosts kill what does not end within five seconds; what was acknowledged is stored by then.
    setTimeout(() => Deno.exit(0), 4800);
    await stop();
    await listening.close();
    Deno.exit(0);
  });
}

announce(listening.port);
await start(listening.port);
