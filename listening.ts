/** The port of this process. */
import type { Settings } from "./settings.ts";
import { StartError } from "./open_store.ts";

export interface Listening {
  readonly port: number;
  /** Lets nobody in any more, and waits for those who are. */
  close(): Promise<void>;
}

export interface ListenOptions {
  port: number;
  hostname: string;
  /** Connections that the kernel keeps until they are accepted. */
  backlog: number;
  handler: Deno.ServeHandler;
  onError: (error: unknown) => Response;
}

/** Why it cannot listen, in a sentence that names the setting. */
export function listenError(error: unknown, { HOST, PORT }: Pick<Settings, "HOST" | "PORT">) {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Deno.errors.AddrInUse) {
    return new StartError(
      `Cannot start: setting PORT is ${PORT}: another process listens there ` +
        "(stop it, or choose another PORT)",
    );
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new StartError(
      `Cannot start: setting PORT is ${PORT}: this user may not listen there ` +
        "(ports below 1024 need rights of their own)",
    );
  }
  return new StartError(`Cannot start: setting HOST is "${HOST}": ${message}`);
}

/** @throws {StartError} */
export function listen(options: ListenOptions): Listening {
  const { hostname, backlog, handler, onError } = options;
  try {
    const server = Deno.serve({
      port: options.port,
      hostname,
      tcpBacklog: backlog,
      onError,
      onListen: () => {},
    }, handler);
    // A platform may have its own idea of where (DENO_SERVE_ADDRESS), and it need not be a port.
    const port: number = (server.addr as Partial<Deno.NetAddr>).port ?? options.port;
    return { port, close: () => server.shutdown() };
  } catch (error) {
    throw listenError(error, { HOST: hostname, PORT: options.port });
  }
}
