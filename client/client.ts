import { ConversationStore } from "./conversation.ts";
import { ParleyCore } from "./parley_core.ts";
import type { ClientOptions } from "./types.ts";

/** Closed conversations whose stores are kept. */
const MAX_CLOSED_STORES = 20;

/** A `ParleyCore` with a store for each conversation that is in use. */
export class ParleyClient extends ParleyCore {
  #stores = new Map<string, ConversationStore>();

  constructor(options: ClientOptions) {
    super(options);
    const all = (work: (store: ConversationStore) => void) => () => this.#stores.forEach(work);
    this.on("state", (state) => all((store) => store.connection(state))());
    this.on("outbox", all((store) => store.pendingChanged()));
    this.on("sent", (message) => this.#stores.get(message.conversationId)?.stored(message));
    this.on("event", (event) => {
      // An event type that only a newer server knows may have no data.
      const { conversationId, conversation } = (event.data ?? {}) as {
        conversationId?: string;
        conversation?: { id: string };
      };
      this.#stores.get(conversationId ?? conversation?.id ?? "")?.receive(event);
    });
  }

  /** The store of one conversation; the same object for the same id while it is in use. */
  conversation(id: string): ConversationStore {
    let store = this.#stores.get(id);
    if (store === undefined) {
      store = new ConversationStore(this, id);
      this.#stores.set(id, store);
      const unused = [...this.#stores.values()].filter((one) => one !== store && !one.inUse);
      for (const one of unused.slice(0, -MAX_CLOSED_STORES)) this.#stores.delete(one.id);
    }
    return store;
  }
}
