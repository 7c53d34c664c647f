import type { KnownConversation } from "./working.ts";

/**
 * Rows of conversations as the writer stored or read them last, so that it need not read them again
 * before the next change. They may have been changed since by anybody else: who uses one has its
 * version compared in the transaction that relies on it.
 */
export interface KnownConversations {
  get(id: string): KnownConversation | undefined;
  /** Those that were used longest ago make room. */
  set(id: string, known: KnownConversation): void;
  delete(id: string): void;
}

export function createKnownConversations(max: number): KnownConversations {
  const byId = new Map<string, KnownConversation>();
  return {
    get: (id) => byId.get(id),
    set(id, known) {
      byId.delete(id);
      byId.set(id, known);
      if (byId.size > max) byId.delete(byId.keys().next().value!);
    },
    delete: (id) => void byId.delete(id),
  };
}
