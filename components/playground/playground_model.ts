import { signal } from "@preact/signals";
import type { Conversation } from "../../protocol/model.ts";
import type { SessionResponse } from "../../protocol/rest.ts";
import { ApiError, callApi } from "../live/api.ts";
import { tabStorage } from "../storage/browser_storage.ts";
import { Refused } from "./replies.ts";
import { createLatencies } from "./latency.ts";
import { createSide, type SideModel } from "./side_model.ts";

export interface PlaygroundStart {
  /** The key of the widget that the customer uses; null where none is enabled. */
  widgetKey: string | null;
}

/** The signed-in agent, for the agent's side. */
export interface SignedIn {
  token(): Promise<string>;
  request<T>(path: string, init: { method: "POST" | "PATCH"; body: unknown }): Promise<T>;
}

/** The customer's session survives reloads; each tab has its own. */
const SESSION_KEY = "parley.test.session";
const CUSTOMER = "Test customer";
/** Lifetime of a token for the conversation, in seconds. */
const CONTEXT_TOKEN_S = 900;

export type PlaygroundModel = ReturnType<typeof createPlayground>;

/** Both sides and their conversation. `agent` is null where nobody is signed in. */
export function createPlayground(start: PlaygroundStart, agent: () => SignedIn | null) {
  const conversationId = signal<string | null>(null);
  let opened: Promise<{ sessionId: string; conversationId: string }> | null = null;

  const latencies = createLatencies((side, ms) => {
    const model: SideModel = side === "customer" ? customer : agentSide;
    model.latency.value = { ...model.latency.value, received: ms };
  });

  async function open() {
    const kept = tabStorage();
    if (start.widgetKey === null) {
      throw new ApiError(0, {
        code: "not_found",
        detail: "The customer's side needs a widget, and none is switched on.",
      });
    }
    const known = kept.getItem(SESSION_KEY) ?? undefined;
    const { sessionId } = await callApi<SessionResponse>("/api/sessions", {
      method: "POST",
      body: { widgetKey: start.widgetKey, sessionId: known, name: CUSTOMER },
    });
    kept.setItem(SESSION_KEY, sessionId);
    const { id } = await callApi<Conversation>("/api/conversations", {
      method: "POST",
      token: sessionId,
      body: {},
    });
    conversationId.value = id;
    return { sessionId, conversationId: id };
  }

  function session() {
    opened ??= open().catch((error) => {
      opened = null;
      throw error;
    });
    return opened;
  }

  function signedIn(): SignedIn {
    const own = agent();
    if (own === null) {
      throw new ApiError(401, {
        code: "unauthenticated",
        detail: "This needs an agent: sign in first.",
      });
    }
    return own;
  }

  const conversation = async () => (await session()).conversationId;
  const customer = createSide("customer", {
    conversation,
    credentials: async () => ({ sessionId: (await session()).sessionId }),
    async contextToken() {
      const id = await conversation();
      const body = { userId: `test-${id}`, userName: CUSTOMER, expiresIn: CONTEXT_TOKEN_S };
      try {
        const path = `/api/contexts/${id}/tokens`;
        const { token } = await signedIn().request<{ token: string }>(path, {
          method: "POST",
          body,
        });
        return token;
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "forbidden") throw error;
        throw new Refused("Only an admin can make the token that this protocol needs.", "no_token");
      }
    },
    sent: (seq, at) => latencies.sent("customer", seq, at),
    received: (seq, at) => latencies.received("customer", seq, at),
  });
  const agentSide = createSide("agent", {
    conversation,
    credentials: async () => ({ token: await signedIn().token() }),
    contextToken: async () => await signedIn().token(),
    sent: (seq, at) => latencies.sent("agent", seq, at),
    received: (seq, at) => latencies.received("agent", seq, at),
  });

  return {
    customer,
    agent: agentSide,
    /** Null until one of the sides connects. */
    conversationId,
    /**
     * Ends the customer's session and resolves its conversation; the next connection begins another
     * one. Throws an ApiError.
     */
    async startAnew() {
      const old = await opened?.catch(() => null);
      opened = null;
      conversationId.value = null;
      tabStorage().removeItem(SESSION_KEY);
      latencies.reset();
      customer.reset();
      agentSide.reset();
      if (!old) return;
      await callApi("/api/sessions", { method: "DELETE", token: old.sessionId });
      const path = `/api/conversations/${old.conversationId}`;
      await agent()?.request(path, { method: "PATCH", body: { status: "resolved" } });
    },
    begin() {
      const ends = [customer.begin(), agentSide.begin()];
      return () => ends.forEach((end) => end());
    },
  };
}
