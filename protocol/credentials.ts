/** Credentials as clients of the documented protocols give them: more leniently than `parley.v1`. */
import { ParleyError } from "./errors.ts";
import { Credentials, MAX_SESSION_ID, MAX_TOKEN } from "./native.ts";

export type GivenCredentials =
  | { token: string; sessionId?: undefined }
  | { sessionId: string; token?: undefined };

/**
 * A page gives what it keeps, and what it keeps may be null or empty: that counts as not given. Of
 * both the token is taken, as from an address.
 *
 * @throws {ParleyError} `invalid`, with the field that is wrong.
 */
export function readCredentials(given: { token?: unknown; sessionId?: unknown }): GivenCredentials {
  const [name, value] = isGiven(given.token)
    ? ["token", given.token] as const
    : ["sessionId", given.sessionId] as const;
  if (!isGiven(value)) {
    throw new ParleyError("invalid", 'Cannot authenticate: "token" or "sessionId" is needed');
  }
  const parsed = Credentials.safeParse({ [name]: value });
  if (parsed.success) return parsed.data as GivenCredentials;
  const most = name === "token" ? MAX_TOKEN : MAX_SESSION_ID;
  const message = `is needed as a string of 1 to ${most} characters`;
  throw new ParleyError("invalid", `Cannot authenticate: "${name}" ${message}`, {
    fields: [{ path: name, message }],
  });
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}
