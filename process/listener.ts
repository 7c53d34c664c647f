/** The listener of this process. It accepts again on the same port after accepting has failed. */
import { getLogger } from "@logtape/logtape";
import type { Settings } from "../settings.ts";
import { plain } from "./logging.ts";
import { StartError } from "./start_error.ts";

const logger = getLogger("parley");

export interface Listener {
  readonly port: number;
  /** Stops accepting, and waits for open connections. */
  close(): Promise<void>;
}

export interface ListenOptions {
  port: number;
  hostname: string;
  /** Connections that the kernel keeps until they are accepted. */
  backlog: number;
  handler: Deno.ServeHandler;
  onError: (error: unknown) => Response;
  /** Other workers of this process listen there, too. */
  shared?: boolean;
}

/** Why the port cannot be opened, in a sentence that names the setting. */
export function listenError(
  error: unknown,
  { host, port }: Pick<Settings["server"], "host" | "port">,
) {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Deno.errors.AddrInUse) {
    return new StartError(
      `Cannot start: setting PORT is ${port}: another process listens there ` +
        "(stop it, or choose another PORT)",
    );
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new StartError(
      `Cannot start: setting PORT is ${port}: this user may not listen there ` +
        "(ports below 1024 need rights of their own)",
    );
  }
  return new StartError(`Cannot start: setting HOST is "${host}": ${message}`);
}

/** Milliseconds before the next attempt, doubled up to the second number. */
const RETRY_MS = [100, 2000] as const;
/** Milliseconds without a failure after which it is logged that accepting works again. */
const STABLE_MS = 5000;

/**
 * Descriptors that are reserved for other work. They are released while nothing is accepted, so that
 * the database can be reached and files opened although clients have used up all others.
 */
const RESERVED = 8;

function createReserve() {
  let held: Deno.FsFile[] = [];
  return {
    take() {
      try {
        while (held.length < RESERVED) held.push(Deno.openSync("/dev/null"));
      } catch {
        // Fewer, or none, where there is no such file or no right to it.
      }
    },
    release() {
      for (const file of held) file.close();
      held = [];
    },
  };
}

/**
 * Listens until it is closed. When the runtime cannot accept, such as without a free descriptor, it
 * ends the server, and existing connections continue; then another one is started on the same port.
 *
 * @throws {StartError} when the port cannot be opened at first.
 */
export function listen(options: ListenOptions): Listener {
  const { listener, open, reserve } = createListener(options);
  try {
    open();
  } catch (error) {
    throw listenError(error, { host: options.hostname, port: options.port });
  }
  reserve.take();
  return listener;
}

/** Takes over from a listener of the runtime, which has ended with this error. */
export function resumeListening(options: ListenOptions, error: unknown): Listener {
  const { listener, interrupted } = createListener(options);
  interrupted(error);
  return listener;
}

function createListener(options: ListenOptions) {
  const { hostname, backlog, handler, onError, shared = false } = options;
  const servers = new Set<Deno.HttpServer>();
  const reserve = createReserve();
  let port = options.port;
  let closed = false;
  let retryMs: number = RETRY_MS[0];
  let failingSince: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function open(): void {
    const server = Deno.serve(
      { port, hostname, tcpBacklog: backlog, reusePort: shared, onError, onListen: () => {} },
      handler,
    );
    port = (server.addr as Deno.NetAddr).port;
    servers.add(server);
    server.finished.then(() => servers.delete(server), (error) => {
      // Its connections are still served, and it is closed with the others.
      if (!closed) interrupted(error);
    });
  }

  function interrupted(error: unknown): void {
    clearTimeout(timer);
    reserve.release();
    if (failingSince === null) {
      failingSince = performance.now();
      const reason = error instanceof Error ? error.message : String(error);
      logger.error(
        plain(
          `New connections are not accepted for now: ${reason}. Those that are there go on, and ` +
            "it is tried again (raise the limit of open files, or bound connections in a proxy)",
        ),
        { port, reason },
      );
    }
    timer = setTimeout(retry, retryMs);
    retryMs = Math.min(2 * retryMs, RETRY_MS[1]);
  }

  function retry(): void {
    if (closed) return;
    try {
      open();
      reserve.take();
    } catch (error) {
      return interrupted(error);
    }
    timer = setTimeout(recovered, STABLE_MS);
  }

  function recovered(): void {
    const seconds = Math.round((performance.now() - failingSince!) / 1000);
    failingSince = null;
    retryMs = RETRY_MS[0];
    logger.info(plain(`New connections are accepted again after ${seconds} s`), { port, seconds });
  }

  const listener: Listener = {
    get port() {
      return port;
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      reserve.release();
      await Promise.all([...servers].map((server) => server.shutdown().catch(() => {})));
    },
  };
  return { listener, open, interrupted, reserve };
}
