/**
 * `deno serve --parallel process/parallel.ts`: this module runs once in each worker, and each is a node.
 * Not main.ts, because the runtime warns of a default export with `fetch` under `deno run`.
 */
import { type Listener, resumeListening } from "./listener.ts";
import { EXIT_RESTART, prepareStart } from "./startup.ts";

/** Replaces the listener of the runtime once that has ended. */
let listener: Listener | null = null;

const { settings: { server }, serve, failed, start, announce, stop: end } = await prepareStart({
  parallel: true,
  onFatal: () => void stop(EXIT_RESTART),
  onUncaught(error) {
    // The runtime listens here, and when it cannot accept it ends that for good.
    if (!(error instanceof Deno.errors.Http)) return false;
    listener ??= resumeListening({
      port: server.port,
      hostname: server.host,
      backlog: server.pendingConnections,
      handler: serve,
      onError: failed,
      shared: true,
    }, error);
    return true;
  },
});

/** The runtime calls this once, for all workers. */
const onListen = (address: Deno.Addr) => announce((address as Deno.NetAddr).port);

export default { fetch: serve, onListen } satisfies Deno.ServeDefaultExport;

// Not awaited: the runtime listens once this module is evaluated, and the port is to open first.
void start(server.port);

const me = crypto.randomUUID();
/** Workers that are stopping, and whether they have stopped: the process ends with the last. */
const workers = new Map<string, boolean>();
const channel = new BroadcastChannel("parley workers");
/** Milliseconds within which every worker has received the signal. */
const GATHER_MS = 300;
let gathered = false;
/** The exit code of the process. */
let code = 0;

function note(worker: string, done: boolean): void {
  workers.set(worker, done);
  if (gathered && [...workers.values()].every(Boolean)) Deno.exit(code);
}

channel.onmessage = ({ data: [worker, done, why] }) => {
  note(worker, done);
  // Memory belongs to the process: where it is exhausted for one worker, it is for all.
  if (why === EXIT_RESTART) void stop(EXIT_RESTART);
};

async function stop(why: number): Promise<void> {
  if (workers.has(me)) return;
  code = why;
  note(me, false);
  channel.postMessage([me, false, why]);
  // Hosts kill a process that does not end within five seconds; acknowledged messages are stored.
  setTimeout(() => Deno.exit(code), 4800);
  setTimeout(() => {
    gathered = true;
    note(me, workers.get(me)!);
  }, GATHER_MS);
  await end();
  await listener?.close();
  channel.postMessage([me, true]);
  note(me, true);
}

// After SIGTERM and SIGINT the runtime itself closes every socket at once, with 1001. SIGQUIT leaves
// time for a drain.
for (const signal of ["SIGQUIT", "SIGTERM", "SIGINT"] as const) {
  Deno.addSignalListener(signal, () => void stop(0));
}
