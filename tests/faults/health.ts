import { call } from "../support/http.ts";

export interface Health {
  status: string;
  services: {
    database: string;
    websocket: { status: string; connections: number; authenticatedUsers: number };
  };
}

export async function health(server: { url: string }): Promise<Health> {
  const { status, body } = await call<Health>(server, "GET", "/health");
  if (status !== 200) throw new Error(`Health is ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** Sockets that the server counts as connected. */
export async function connectionCount(server: { url: string }): Promise<number> {
  return (await health(server)).services.websocket.connections;
}

/** Asks again and again until the answer fits; returns the last answer. */
export async function eventually<T>(
  read: () => T | Promise<T>,
  fits: (value: T) => boolean,
  ms: number,
  everyMs = 100,
): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = await read();
    if (fits(value) || Date.now() > deadline) return value;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
