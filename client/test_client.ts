/** Clients for the SDK's tests, with short timeouts, which end with their test. */
import { ParleyClient } from "./client.ts";
import { CONVERSATION, startServer, type TestServer } from "./test_server.ts";
import type { ClientOptions } from "./types.ts";

export function makeClient(server: { url: string }, options: Partial<ClientOptions> = {}) {
  return new ParleyClient({
    url: server.url,
    credentials: () => ({ token: "t" }),
    minDelayMs: 20,
    maxDelayMs: 40,
    ...options,
  });
}

/** Runs with a new server and closes everything at the end. */
export async function withServer(
  work: (
    server: TestServer,
    open: (options?: Partial<ClientOptions>) => ParleyClient,
  ) => Promise<void>,
): Promise<void> {
  const server = startServer();
  const clients: ParleyClient[] = [];
  try {
    await work(server, (options) => {
      const client = makeClient(server, options);
      clients.push(client);
      return client;
    });
  } finally {
    for (const client of clients) client.close();
    await server.stop();
  }
}

export const message = (content: string) => ({ conversationId: CONVERSATION, content });

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
