/** Parley as main.ts starts it, without the dashboard, which is not measured. */
import { createParley } from "../../server.ts";
import { readSettings } from "../../settings.ts";

const settings = readSettings(Deno.env.toObject());
const parley = await createParley(settings, { site: null, onError: (e) => console.error(e) });
const server = Deno.serve({
  port: settings.server.port,
  hostname: "127.0.0.1",
  tcpBacklog: settings.server.pendingConnections,
  onListen: ({ port }) => console.log(JSON.stringify({ port, control: 0 })),
}, (request, info) => parley.handle(request, info.remoteAddr.hostname));
let stopping = false;
Deno.addSignalListener("SIGTERM", async () => {
  if (stopping) return;
  stopping = true;
  await parley.stop();
  await server.shutdown();
  Deno.exit(0);
});
