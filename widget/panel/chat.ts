import {
  type ConnectionState,
  type ConversationSnapshot,
  type ConversationStore,
  ParleyClient,
  type ThreadItem,
} from "../../client/mod.ts";
import type { Presence, WidgetAppearance } from "../../protocol/model.ts";
import type { Shell, Visitor } from "../shell.ts";
import { createSession, SessionError } from "./session.ts";
import { currentPage, watchPage } from "./page.ts";
import { createNews, unreadOf } from "./news.ts";
import { createRatings, type RatingState } from "./ratings.ts";
import { createResting } from "./resting.ts";

/** Errors of `auth` that a new session mends. */
const SESSION_ENDED = ["invalid_session", "invalid_token", "unauthenticated", "not_found"];
/** New sessions in a row; a server that refuses its own would otherwise be asked for ever. */
const MAX_RENEWALS = 2;

export interface ChatState {
  connection: ConnectionState;
  /** What went wrong, in words, or null. */
  problem: string | null;
  /** Whether pressing "try again" can help. */
  canRetry: boolean;
  thread: ConversationSnapshot | null;
  items: ThreadItem[];
  agents: Presence[];
  unread: number;
  /** null: there is nothing to rate. */
  rating: RatingState | null;
}

/** All that the panel shows and does, without a line of markup. */
export function createChat(shell: Shell) {
  const session = createSession(shell);
  const subscribers = new Set<() => void>();
  const agents = new Map<string, Presence>();
  let lastPresence: Presence[] | undefined;
  /** As it was when this page last connected. */
  let firstLook: WidgetAppearance | undefined;
  let store: ConversationStore | null = null;
  let unsubscribe = () => {};
  let renewals = 0;
  let usedSession: string | undefined;
  let problem: string | null = null;
  let hindrance: string | null = null;
  let readSeq = 0;
  let unread = 0;
  let state: ChatState | null = null;

  const client = new ParleyClient({
    url: shell.base,
    storage: session.storage,
    storageKey: session.key,
    credentials: async () => {
      try {
        const { sessionId } = await session.ensure();
        usedSession = sessionId;
        return { sessionId };
      } catch (error) {
        // A server that answers with an error is not the network; its sentence is worth showing.
        const answered = error instanceof SessionError;
        hindrance = answered ? sentence(error.code, error.message) : null;
        throw error;
      }
    },
  });
  const news = createNews((message) => {
    const { id, content, createdAt, sender } = message;
    shell.emit("message", { id, content, createdAt, sender: { name: sender.userName } });
  });

  const ratings = createRatings({
    storage: session.storage,
    key: session.key,
    changed: () => changed(),
    async send(conversationId, body) {
      const { sessionId } = await session.ensure();
      const response = await fetch(`${shell.base}api/conversations/${conversationId}/rating`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${sessionId}` },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(String(response.status));
    },
  });

  function changed() {
    state = null;
    for (const subscriber of [...subscribers]) subscriber();
  }
  function threadChanged(snapshot: ConversationSnapshot) {
    if (snapshot.status === "ready") news.look(snapshot.items);
    readSeq = Math.max(readSeq, snapshot.pointers.contactReadSeq);
    const count = unreadOf(snapshot.items, readSeq);
    if (count !== unread) shell.setUnread(unread = count);
    changed();
  }
  function leave() {
    unsubscribe();
    store?.close();
    store = null;
    news.reset();
    readSeq = 0;
    if (unread > 0) shell.setUnread(unread = 0);
  }
  function follow(conversationId: string | null | undefined) {
    if (store?.id === (conversationId ?? undefined)) return;
    // A new session has no conversation yet, and the old one's is no longer this visitor's.
    leave();
    if (!conversationId) return;
    store = client.conversation(conversationId);
    unsubscribe = store.subscribe(threadChanged);
    store.open();
    session.opened(conversationId);
    changed();
  }
  function sendPage() {
    if (client.state === "connected") client.request("page", currentPage()).catch(() => {});
  }

  client.on("identity", (identity) => {
    // What was changed while this page was not connected. The same one again is not news: it may
    // have changed since.
    if (identity.appearance !== undefined && identity.appearance !== firstLook) {
      shell.setAppearance(firstLook = identity.appearance);
    }
    if (identity.presence !== lastPresence) {
      lastPresence = identity.presence;
      agents.clear();
      for (const one of identity.presence) agents.set(one.userId, one);
    }
    follow(identity.conversationId);
    changed();
  });
  client.on("widget_config", ({ enabled, appearance }) => {
    if (!enabled) return shell.vanish();
    shell.setAppearance(appearance);
    changed();
  });
  client.on("presence", (presence) => {
    if (presence.role !== "agent") return;
    if (presence.status === "offline") agents.delete(presence.userId);
    else agents.set(presence.userId, presence);
    changed();
  });
  // Another tab of this visitor wrote first.
  client.on("conversation_opened", ({ conversationId }) => follow(conversationId));
  client.on("outbox", changed);
  client.on("state", (connection) => {
    if (connection === "connected") {
      renewals = 0;
      problem = hindrance = null;
      sendPage();
    }
    if (connection === "failed") failed();
    changed();
  });

  function failed() {
    const { error } = client;
    const cause = error?.cause;
    const code = cause instanceof SessionError ? cause.code : error?.code ?? "internal";
    const refused = !(cause instanceof SessionError) && SESSION_ENDED.includes(code);
    if (refused && renewals++ < MAX_RENEWALS) {
      session.drop(usedSession);
      // Nothing to show and nobody waiting: the next visit begins when the panel is opened.
      if (!resting.wanted() && client.pending().length === 0) return;
      queueMicrotask(() => client.connect());
      return;
    }
    problem = sentence(code, error?.message);
  }

  const resting = createResting(client);
  const stopPage = watchPage(sendPage);
  // Another tab opened the conversation, or began a session.
  function stored(event: StorageEvent) {
    if (event.key === session.key && client.state === "connected") {
      const now = session.read();
      if (now?.conversationId && now.sessionId === usedSession) follow(now.conversationId);
    }
  }
  addEventListener("storage", stored);
  if (session.read()?.conversationId || client.pending().length > 0) resting.want();

  return {
    get state(): ChatState {
      const thread = store?.snapshot ?? null;
      const wrong = thread?.status === "error" ? thread.error?.message ?? null : null;
      return state ??= {
        connection: client.state,
        problem: problem ?? hindrance ?? wrong,
        canRetry: problem !== null || hindrance !== null,
        thread,
        items: thread?.items ??
          client.pending().map((pending) => ({
            key: pending.clientMessageId,
            message: null,
            pending,
          })),
        agents: [...agents.values()],
        unread,
        rating: ratings.of(
          thread?.conversation,
          thread?.items.some(({ message }) => message?.sender.role === "visitor") ?? false,
        ),
      };
    },
    subscribe(fn: () => void): () => void {
      subscribers.add(fn);
      return () => void subscribers.delete(fn);
    },
    /** The longest text that the server takes, in UTF-16 units. */
    maxLength: () => client.welcome?.limits.contentLength ?? 20_000,
    connect: () => resting.want(),
    tryAgain() {
      problem = hindrance = null;
      renewals = 0;
      client.reconnectNow();
      changed();
    },
    send(content: string) {
      store?.typing(false);
      // Without an id: the server knows which conversation is this visitor's, today as tomorrow.
      client.send({ content }).catch(() => {});
      resting.want();
    },
    rate(rating: number, comment?: string) {
      if (store) void ratings.rate(store.id, rating, comment);
    },
    retry: (id: string) => client.retry(id),
    discard: (id: string) => client.discard(id),
    typing: (isTyping: boolean) => store?.typing(isTyping),
    loadOlder: () => store?.loadOlder().catch(() => {}),
    /** The visitor sees the newest message. */
    seen() {
      const last = store?.snapshot.items.findLast((item) => item.message !== null)?.message;
      if (!store || !last || (last.seq <= readSeq && unread === 0)) return;
      store.markRead();
      readSeq = Math.max(readSeq, last.seq);
      threadChanged(store.snapshot);
    },
    async identify(visitor: Visitor) {
      try {
        await session.identify(visitor);
      } catch (error) {
        console.warn(`Parley: cannot identify the visitor: ${(error as Error).message}`);
      }
    },
    destroy(forget: boolean) {
      stopPage();
      resting.stop();
      removeEventListener("storage", stored);
      unsubscribe();
      client.close();
      subscribers.clear();
      if (forget) session.forget();
    },
  };
}

export type Chat = ReturnType<typeof createChat>;

/** Codes a visitor may meet, in words that help; others as the server said them. */
function sentence(code: string, message: string | undefined): string {
  switch (code) {
    case "origin_not_allowed":
      return "The chat is not switched on for this website.";
    case "not_found":
      return "This chat does not exist any more.";
    case "too_many_connections":
      return "This chat is open in many places. Continue here?";
    case "invalid_session":
      return "Your visit could not be started.";
    case "disconnected":
      return `The connection was ended: ${message}.`;
    default:
      return message ?? "The chat cannot be reached.";
  }
}
