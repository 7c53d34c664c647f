/**
 * Runs the official protocol suites of Engine.IO and Socket.IO against this engine:
 *
 *     deno run -A engineio/conformance/run_official.ts <folder> …
 *
 * A folder is `docs/engine.io-protocol/v4-test-suite` or `docs/socket.io-protocol/v5-test-suite` of
 * https://github.com/socketio/socket.io after `npm ci` in it. The suites use port 3000. They are
 * not part of this repository; the tests beside this file cover the same cases.
 */
import { echo, makeEngine, makeSocketIo } from "./harness.ts";

const PORT = 3000;

if (Deno.args.length === 0) {
  console.error("Cannot run the suites: name the folders that hold them");
  Deno.exit(2);
}

const errors: unknown[] = [];
const engineIo = makeEngine("/engine.io/", errors).on("connection", echo);
const socketIo = makeEngine("/socket.io/", errors);
const io = makeSocketIo(socketIo);

const server = Deno.serve({ port: PORT, onListen: () => {} }, (request, info) => {
  const { pathname } = new URL(request.url);
  const engine = pathname.startsWith("/engine.io") ? engineIo : socketIo;
  return engine.handle(request, info.remoteAddr.hostname);
});

let failed = false;
for (const folder of Deno.args) {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--node-modules-dir=manual",
      "node_modules/mocha/bin/mocha",
      "test-suite.js",
    ],
    cwd: folder,
  }).spawn().status;
  failed ||= !success;
}

await io.close();
engineIo.close();
await server.shutdown();
for (const error of errors) console.error("The engine reported:", error);
Deno.exit(failed || errors.length > 0 ? 1 : 0);
