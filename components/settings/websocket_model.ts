import { batch, signal } from "@preact/signals";
import { newId } from "../../client/core.ts";
import { type ConversationEvent, TopicsClient, type TopicsState } from "../../client/topics.ts";
import type { Message } from "../../protocol/model.ts";
import { errorText } from "../live/api.ts";
import type { WorkspaceModel } from "../live/workspace_model.ts";
import { type Direction, type Frame, type FrameKind, withFrame } from "../playground/frames.ts";

export interface Subscription {
  id: string;
  /** The contact of the conversation, if it is known. */
  name: string | null;
  /** Events since the subscription. */
  events: number;
}

/** Events whose arrival is kept until the answer to the request names their message. */
const MAX_ARRIVALS = 20;
/** Milliseconds to wait for a sent message's event. */
const ARRIVAL_MS = 5_000;

export type WebSocketModel = ReturnType<typeof createWebSocketModel>;

/** The connection of the WebSocket settings: the SDK's `TopicsClient` with a log of its frames. */
export function createWebSocketModel(workspace: Pick<WorkspaceModel, "token" | "request">) {
  const state = signal<TopicsState>("idle");
  const subscriptions = signal<Subscription[]>([]);
  const frames = signal<Frame[]>([]);
  const problem = signal<string | null>(null);
  const arrivals = new Map<string, number>();
  const awaited = new Map<string, (at: number) => void>();
  let client: TopicsClient | null = null;

  function frame(direction: Direction, text: string, kind: FrameKind = "json") {
    frames.value = withFrame(frames.value, { direction, text, kind, at: Date.now() });
  }

  /** Made in the browser: the server has no WebSocket class to extend. */
  function make(): TopicsClient {
    const own = new TopicsClient({
      url: location.origin,
      credentials: async () => ({ token: await workspace.token() }),
      WebSocket: tapped(frame),
      fetch: tappedFetch(frame),
    });
    own.on("state", (next) => state.value = next);
    own.on("error", ({ error, conversationID }) => {
      problem.value = errorText(error);
      if (conversationID !== undefined) forget(conversationID);
    });
    own.on("reset", ({ conversationID }) => {
      frame("note", `Too many events of ${conversationID} were missed; events continue from here`);
    });
    return own;
  }

  function follow(id: string) {
    return client!.subscribeToConversation(id, (event) => happened(id, event));
  }

  function happened(id: string, event: ConversationEvent) {
    subscriptions.value = subscriptions.value.map((one) =>
      one.id === id ? { ...one, events: one.events + 1 } : one
    );
    if (event.event !== "message" || event.messageID === null) return;
    const at = performance.now();
    awaited.get(event.messageID)?.(at);
    arrivals.set(event.messageID, at);
    const [oldest] = arrivals.keys();
    if (arrivals.size > MAX_ARRIVALS && oldest !== undefined) arrivals.delete(oldest);
  }

  function forget(id: string) {
    subscriptions.value = subscriptions.value.filter((one) => one.id !== id);
  }

  function arrivalOf(messageId: string): Promise<number | null> {
    const known = arrivals.get(messageId);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(null), ARRIVAL_MS);
      const done = (at: number | null) => {
        clearTimeout(timer);
        awaited.delete(messageId);
        resolve(at);
      };
      awaited.set(messageId, done);
    });
  }

  return {
    state,
    subscriptions,
    frames,
    problem,

    connect() {
      problem.value = null;
      client ??= make();
      client.connect().catch(() => {
        // The state shows it, and the error event says why.
      });
      for (const { id } of subscriptions.value) follow(id);
    },
    /** The subscriptions are kept for the next connection. */
    disconnect: () => client?.disconnect(),
    subscribe(id: string, name: string | null) {
      problem.value = null;
      if (subscriptions.value.some((one) => one.id === id)) return;
      batch(() => {
        subscriptions.value = [...subscriptions.value, { id, name, events: 0 }];
        if (["live", "polling", "connecting"].includes(state.value)) follow(id);
      });
    },
    unsubscribe(id: string) {
      client?.unsubscribeFromConversation(id);
      forget(id);
    },
    /**
     * Sends a message to a conversation. Resolves with the milliseconds until its event arrived, or
     * null where none came. Throws an ApiError.
     */
    async sendTest(id: string, content: string, isPrivate: boolean): Promise<number | null> {
      const sentAt = performance.now();
      const message = await workspace.request<Message>(`/api/conversations/${id}/messages`, {
        method: "POST",
        body: { content, clientMessageId: newId(), isPrivate },
      });
      const at = await arrivalOf(message.id);
      return at === null ? null : at - sentAt;
    },
    clearFrames: () => void (frames.value = []),
    end: () => client?.disconnect(),
  };
}

type Tap = (direction: Direction, text: string, kind?: FrameKind) => void;

/** A WebSocket class that logs its frames, to be given to a client instead of the browser's own. */
function tapped(tap: Tap): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      tap("note", `Opening ${url}`);
      this.addEventListener("message", ({ data }) => tap("in", String(data)));
      this.addEventListener("close", ({ code, reason }) => {
        tap("note", `Closed: ${code} ${reason}`.trim());
      });
    }
    override send(data: string) {
      tap("out", data);
      super.send(data);
    }
  };
}

/** The same for requests while there is no socket. */
function tappedFetch(tap: Tap): typeof fetch {
  return async (input, init) => {
    tap("out", `GET ${input}`, "http");
    const response = await fetch(input, init);
    const body = response.clone().text();
    body.then((text) => tap("in", `${response.status}\n${text}`, "http")).catch(() => {});
    return response;
  };
}
