import { boot, EXHAUSTED, refuse } from "./boot.ts";
import { listen, type Listening } from "./listening.ts";

const { config, serve, failed, start, announce, stop } = await boot({
  parallel: false,
  onExhausted: () => void end(EXHAUSTED),
});

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
async function end(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  // Hosts kill what does not end within five seconds; what was acknowledged is stored by then.
  setTimeout(() => Deno.exit(code), 4800);
  await stop();
  await listening.close();
  Deno.exit(code);
}
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.addSignalListener(signal, () => void end(0));
}

announce(listening.port);
await start(listening.port);
