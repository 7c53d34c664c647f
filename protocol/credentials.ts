/** Credentials in the protocols that are more lenient than `parley.v1`. */
import { ParleyError } from "./errors.ts";
import { Credentials, MAX_SESSION_ID, MAX_TOKEN } from "./native.ts";

export type GivenCredentials =
  | { token: string; sessionId?: undefined }
  | { sessionId: string; token?: undefined };

/**
 * Pages send what they have stored, which may be null or empty: that counts as not given. Where both
 * are given, the token is used, as in a URL.
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
