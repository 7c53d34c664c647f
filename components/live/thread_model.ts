import { signal } from "@preact/signals";
import type { Conversation, Message, MessageFile } from "../../protocol/model.ts";
import type {
  ConversationSnapshot,
  ConversationStore,
  ParleyClient,
  ParleyClientError,
} from "../../client/mod.ts";

/** A conversation with its newest page, as the server rendered it. */
export interface SeedThread {
  conversation: Conversation;
  messages: Message[];
  hasMore: boolean;
}

export type ThreadModel = ReturnType<typeof createThreadModel>;

const NO_POINTERS = {
  agentDeliveredSeq: 0,
  agentReadSeq: 0,
  contactDeliveredSeq: 0,
  contactReadSeq: 0,
};

const MISSING = { code: "not_found", message: "There is no conversation with this address." };

function snapshotOf(selected: { seed: SeedThread | null } | null): ConversationSnapshot {
  const seed = selected?.seed ?? null;
  const missing = selected !== null && seed === null;
  return {
    status: missing ? "error" : seed === null ? "loading" : "ready",
    error: missing ? MISSING : undefined,
    conversation: seed?.conversation ?? null,
    items: (seed?.messages ?? []).map((message) => ({ key: message.id, message, pending: null })),
    hasOlder: seed?.hasMore ?? false,
    loadingOlder: false,
    typing: [],
    members: [],
    memberCount: 0,
    pointers: seed?.conversation.pointers ?? NO_POINTERS,
  };
}

/** The open conversation. An id without a conversation is an error from the start. */
export function createThreadModel(selected: { seed: SeedThread | null } | null) {
  const snapshot = signal<ConversationSnapshot>(snapshotOf(selected));
  /** Deleted while it was open. No event says so, but a message to it is refused. */
  const isDeleted = signal(false);
  let store: ConversationStore | null = null;
  let isJoined = true;
  let unsubscribe = () => {};

  function close() {
    unsubscribe();
    unsubscribe = () => {};
    if (isJoined) store?.close();
    store = null;
  }

  /** Shows a conversation and follows it. What is known of it shows at once. */
  function open(client: ParleyClient, id: string, first: SeedThread | null) {
    if (store?.id === id) return;
    close();
    isDeleted.value = false;
    store = client.conversation(id);
    if (first !== null) store.seed(first.messages, first.hasMore, first.conversation);
    unsubscribe = store.subscribe((next) => snapshot.value = next);
    snapshot.value = store.snapshot;
    if (isJoined) store.open();
  }

  /** Whether others see this agent in it. After joining again, missed events are loaded. */
  function setJoined(joined: boolean) {
    if (joined === isJoined) return;
    isJoined = joined;
    if (joined) store?.open();
    else store?.close();
  }

  /** Tries again after an error: leaves and joins again. */
  function retry() {
    if (!isJoined) return;
    store?.close();
    snapshot.value = { ...snapshot.value, status: "loading", error: undefined };
    store?.open();
  }

  /**
   * Sends to the open conversation. A failure shows at the message itself.
   *
   * @returns null as soon as it is stored, or why it is not
   */
  async function send(
    content: string,
    options: { isPrivate?: boolean; files?: MessageFile[]; replyToId?: string } = {},
  ): Promise<ParleyClientError | null> {
    const to = store;
    if (to === null) return null;
    try {
      await to.send(content, options);
      return null;
    } catch (cause) {
      const error = cause as ParleyClientError;
      if (error.code === "not_found" && to === store) isDeleted.value = true;
      return error;
    }
  }

  return { snapshot, isDeleted, open, close, setJoined, retry, send, store: () => store };
}
