import type { Principal } from "../domain/principal.ts";

/** What a client authenticates with. */
export interface Credentials {
  token?: string | undefined;
  sessionId?: string | undefined;
  /** For scoped protocols: the context, and the client's last position in it. */
  contextId?: string | undefined;
  lastSeq?: string | undefined;
  epoch?: string | undefined;
  /** The principal of the interrupted connection that this one continues. */
  recovered?: Principal | undefined;
}
