import {
  type ConnectionState,
  type ConversationSnapshot,
  type ConversationStore,
  ParleyClient,
  type ThreadItem,
} from "../../client/mod.ts";
import type { Presence, WidgetAppearance } from "../../protocol/model.ts";
import type { Shell, Visitor } from "../shell.ts";
import { createPanelActions } from "./actions.ts";
import { createPanelFiles } from "./files.ts";
import { createSession, SessionError } from "./session.ts";
import { currentPage, watchPage } from "./page.ts";
import { createNewMessages, unreadOf } from "./new_messages.ts";
import { createRatings, type RatingState } from "./ratings.ts";
import { createConnectPolicy } from "./connect_policy.ts";

/** Errors of `auth` after which a new session helps. */
const SESSION_ENDED = ["invalid_session", "invalid_token", "unauthenticated", "not_found"];
/** New sessions in a row, in case a server refuses the sessions that it makes. */
const MAX_RENEWALS = 2;

export interface ChatState {
  connection: ConnectionState;
  /** What went wrong, as a sentence, or null. */
  problem: string | null;
  /** Whether trying again can help. */
  canRetry: boolean;
  thread: ConversationSnapshot | null;
  items: ThreadItem[];
  agents: Presence[];
  unread: number;
  /** null: there is nothing to rate. */
  rating: RatingState | null;
}

/** The state and the actions of the panel, without markup. */
export function createChat(shell: Shell) {
  const session = createSession(shell);
  const subscribers = new Set<() => void>();
  const agents = new Map<string, Presence>();
  let lastPresence: Presence[] | undefined;
  /** The appearance when this page first connected. */
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
        // An error of the server is not a network failure; its sentence is worth showing.
        const answered = error instanceof SessionError;
        hindrance = answered ? sentence(error.code, error.message) : null;
        throw error;
      }
    },
  });
  const token = async () => (await session.ensure()).sessionId;
  const files = createPanelFiles(shell, client, token, () => changed());
  const actions = createPanelActions(shell, client, () => store, () => changed());
  const arrivals = createNewMessages((message) => {
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
    if (snapshot.status === "ready") arrivals.check(snapshot.items);
    readSeq = Math.max(readSeq, snapshot.pointers.contactReadSeq);
    const count = unreadOf(snapshot.items, readSeq);
    if (count !== unread) shell.setUnread(unread = count);
    changed();
  }
  function leave() {
    unsubscribe();
    store?.close();
    store = null;
    arrivals.reset();
    readSeq = 0;
    if (unread > 0) shell.setUnread(unread = 0);
  }
  function follow(conversationId: string | null | undefined) {
    if (store?.id === (conversationId ?? undefined)) return;
    // A new session has no conversation yet, and must not show the old one's.
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
    // The appearance may have changed while this page was disconnected. The one of the first
    // connection is ignored: it may have changed since.
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
      // There is nothing to show or to send: a new session is made when the panel is opened.
      if (!connecting.isNeeded() && client.pending().length === 0) return;
      queueMicrotask(() => client.connect());
      return;
    }
    problem = sentence(code, error?.message);
  }

  const connecting = createConnectPolicy(client);
  const stopPage = watchPage(sendPage);
  // Another tab opened the conversation, or made a session.
  function stored(event: StorageEvent) {
    if (event.key === session.key && client.state === "connected") {
      const now = session.read();
      if (now?.conversationId && now.sessionId === usedSession) follow(now.conversationId);
    }
  }
  addEventListener("storage", stored);
  if (session.read()?.conversationId || client.pending().length > 0) connecting.need();

  return {
    get state(): ChatState {
      const thread = store?.snapshot ?? null;
      const wrong = thread?.status === "error" ? threadSentence(thread.error) : null;
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
    /** The longest text that the server accepts, in UTF-16 code units. */
    maxLength: () => client.welcome?.limits.contentLength ?? 20_000,
    connect: () => connecting.need(),
    tryAgain() {
      problem = hindrance = null;
      renewals = 0;
      client.reconnectNow();
      changed();
    },
    send(content: string) {
      store?.typing(false);
      // Without an id: the server knows the visitor's conversation.
      client.send({ content, ...files.take(), ...actions.take() }).catch(() => {});
      connecting.need();
    },
    files,
    actions,
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
      connecting.stop();
      removeEventListener("storage", stored);
      unsubscribe();
      client.close();
      subscribers.clear();
      if (forget) session.forget();
    },
  };
}

export type Chat = ReturnType<typeof createChat>;

/** Why the conversation cannot be shown. The next message opens another one. */
function threadSentence(error: ConversationSnapshot["error"]): string | null {
  return error?.code === "not_found"
    ? "This conversation was deleted. Write again to start a new one."
    : error?.message ?? null;
}

/** Sentences for codes that visitors may see; for others the server's. */
function sentence(code: string, message: string | undefined): string {
  switch (code) {
    case "origin_not_allowed":
      return "The chat is not switched on for this website.";
    case "not_found":
      return "This chat does not exist any more.";
    case "too_many_connections":
      return "This chat is open in many places. Continue here?";
    case "invalid_session":
      return "The chat could not be started. Please reload the page.";
    case "disconnected":
      return `The connection was ended: ${message}.`;
    default:
      return message ?? "The chat cannot be reached.";
  }
}
