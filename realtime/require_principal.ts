import type { Principal } from "../domain/principal.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Connection } from "./connection.ts";

/**
 * The principal of an authenticated connection.
 *
 * @param action what is refused otherwise, for the error
 * @throws {ParleyError} `unauthenticated`.
 */
export function requirePrincipal({ principal }: Connection, action = "do that"): Principal {
  if (principal !== null) return principal;
  throw new ParleyError("unauthenticated", `Cannot ${action}: authenticate first`);
}
