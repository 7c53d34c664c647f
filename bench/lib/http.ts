/** The HTTP requests of the scenarios. */
import { ADMIN } from "./databases.ts";
import type { BenchServer } from "./processes.ts";

/** @returns an agent's token */
export async function signIn(
  server: BenchServer,
  { email, password }: typeof ADMIN = ADMIN,
): Promise<string> {
  const { token } = await post<{ token: string }>(server, "/api/auth/login", { email, password });
  return token;
}

export async function post<T>(
  { port }: BenchServer,
  path: string,
  body: Record<string, unknown>,
  token?: string,
): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`Cannot post to ${path}: ${await response.text()}`);
  return await response.json();
}
