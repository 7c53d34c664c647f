import { EXIT_RESTART, exitWithError, prepareStart } from "./process/startup.ts";
import { listen, type Listener } from "./process/listener.ts";

const { settings: { server }, serve, failed, start, announce, stop } = await prepareStart({
  parallel: false,
  onFatal: () => void end(EXIT_RESTART),
});

// Before the database: requests get 503 with Retry-After until that is open, and a port that is
// taken ends the start before anything is touched.
let listener: Listener;
try {
  listener = listen({
    port: server.port,
    hostname: server.host,
    backlog: server.pendingConnections,
    handler: serve,
    onError: failed,
  });
} catch (error) {
  exitWithError(error);
}

let stopping = false;
async function end(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  // Hosts kill a process that does not end within five seconds; acknowledged messages are stored.
  setTimeout(() => Deno.exit(code), 4800);
  await stop();
  await listener.close();
  Deno.exit(code);
}
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.addSignalListener(signal, () => void end(0));
}

announce(listener.port);
await start(listener.port);
