import { enterContext } from "../domain/conversations/contexts.ts";
import type { Principal } from "../domain/principal.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Acks } from "../protocol/native.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Connection } from "./connection.ts";

/** What one connection of a scoped protocol is for. */
export interface Scope {
  /** null: the workspace, of an agent who named none. */
  contextId: string | null;
  /** The context's conversation, where the protocol is about it; null without a context. */
  conversationId: string | null;
}

/** What a protocol asks of the context that it is cut to. */
export type Needs = "conversation" | "nothing";

export interface Scopes {
  /** @throws {ParleyError} for a bad token, and for a context that it does not admit to. */
  authenticate(
    connection: Connection,
    credentials: { token: string; contextId: string | undefined },
    needs: Needs,
  ): Promise<Scope>;
  /** A new token of the same person, which has to admit to the same context. */
  refresh(connection: Connection, token: string): Promise<Acks["refresh"]>;
  /** @throws {ParleyError} `unauthenticated`. */
  of(connection: Connection): Scope;
}

/** Authentication for one context, and which context each connection was authenticated for. */
export function createScopes(options: {
  authenticator: Authenticator;
  /** The conversation of a context, opened where there is none. */
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

    async authenticate(connection, { token, contextId: asked }, needs) {
      const scope = await authenticator.admit(connection, token, async (principal) => {
        const ofWorkspace = asked === undefined && principal.kind === "agent";
        const contextId = ofWorkspace ? null : enterContext(principal, asked);
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
