import type { Conversation } from "../../protocol/model.ts";

export interface RatingState {
  /** 0: not rated yet. */
  given: number;
  /** The question is closed. */
  done: boolean;
  failed: boolean;
}

/** The visitor's ratings of their conversation, one for each time it was resolved. */
export function createRatings(options: {
  storage: Pick<Storage, "getItem" | "setItem">;
  key: string;
  send: (conversationId: string, body: { rating: number; comment?: string }) => Promise<void>;
  changed: () => void;
}) {
  const { storage, send, changed } = options;
  const key = `${options.key}:rated`;
  let occasion = "";
  let state: RatingState = { given: 0, done: false, failed: false };

  function set(change: Partial<RatingState>) {
    state = { ...state, ...change };
    changed();
  }

  return {
    /** null: there is nothing to rate, or it was rated on an earlier page. */
    of(conversation: Conversation | null | undefined, hasWritten: boolean): RatingState | null {
      if (conversation?.status !== "resolved" || !hasWritten) return null;
      const now = `${conversation.id} ${conversation.resolvedAt}`;
      if (now !== occasion) {
        occasion = now;
        state = { given: 0, done: storage.getItem(key) === now, failed: false };
      }
      return state.done && state.given === 0 ? null : state;
    },
    async rate(conversationId: string, rating: number, comment?: string): Promise<void> {
      const now = occasion;
      try {
        await send(conversationId, comment === undefined ? { rating } : { rating, comment });
      } catch {
        if (now === occasion) set({ failed: true });
        return;
      }
      try {
        storage.setItem(key, now);
      } catch {
        // The storage is full: the next page asks again, and that rating replaces this one.
      }
      if (now === occasion) set({ given: rating, failed: false, done: comment !== undefined });
    },
  };
}
