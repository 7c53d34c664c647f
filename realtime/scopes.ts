import { enterContext } from "../domain/conversations/contexts.ts";
import type { Principal } from "../domain/principal.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Acks } from "../protocol/native.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Connection } from "./connection.ts";

/** What a connection of a scoped protocol is used for. */
export interface Scope {
  /** null: the workspace, for an agent who named no context. */
  contextId: string | null;
  /** The context's conversation, if the protocol uses it; null without a context. */
  conversationId: string | null;
}

/** What a protocol needs of its context. */
export type Needs = "conversation" | "nothing";

export interface Scopes {
  /** @throws {ParleyError} for a bad token, and for a context that the token does not allow. */
  authenticate(
    connection: Connection,
    credentials: { token: string; contextId: string | undefined },
    needs: Needs,
  ): Promise<Scope>;
  /** A new token of the same person, which has to allow the same context. */
  refresh(connection: Connection, token: string): Promise<Acks["refresh"]>;
  /** @throws {ParleyError} `unauthenticated`. */
  of(connection: Connection): Scope;
}

/** Authentication for one context, and which context each connection was authenticated for. */
export function createScopes(options: {
  authenticator: Authenticator;
  /** The conversation of a context, opened if there is none. */
  openContext: (principal: Principal, contextId: string) => Promise<string>;
}): Scopes {
  const { authenticator, openContext } = options;
  const scopes = new WeakMap<Connection, Scope>();

  function of(connection: Connection): Scope {
    const scope = scopes.get(connection);
    if (scope === undefined) {
      throw new ParleyError("unauthenticated", "Cannot do that: authenticate first");
    }
    return scope;
  }

  return {
    of,

    async authenticate(connection, { token, contextId: requested }, needs) {
      const scope = await authenticator.authenticateFor(connection, token, async (principal) => {
        const isWorkspace = requested === undefined && principal.kind === "agent";
        const contextId = isWorkspace ? null : enterContext(principal, requested);
        const conversationId = needs === "conversation" && contextId !== null
          ? await openContext(principal, contextId)
          : null;
        return { contextId, conversationId };
      });
      scopes.set(connection, scope);
      return scope;
    },

    async refresh(connection, token) {
      const { contextId } = of(connection);
      return await authenticator.refresh(connection, token, (next) => {
        if (contextId !== null) enterContext(next, contextId);
      });
    },
  };
}
