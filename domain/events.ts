/**
 * The one way in which the domain tells the rest of the house what happened. Listeners are called
 * in the order in which they were added, after the change is stored; one that throws is reported
 * and does not keep the others from hearing.
 */
import type { Conversation, Pointers, User } from "../protocol/model.ts";
import type { LoggedEvent } from "../protocol/native.ts";

/** A stored change of a conversation in the two forms in which people may see it. */
export interface LogEntry {
  seq: number;
  forAgents: LoggedEvent;
  forVisitors: LoggedEvent;
}

export interface DomainEvents {
  /** Durable changes of one conversation, in the order of seq, committed. */
  "conversation.logged": { conversationId: string; entries: LogEntry[] };
  /** The list row of a conversation changed; `conversation` is its state after the commit. */
  "conversation.updated": { conversation: Conversation };
  /** Someone received or read further. `unread` is of that participant. */
  "conversation.pointers": {
    conversationId: string;
    userId: string;
    role: "agent" | "visitor";
    pointers: Pointers;
    readSeq: number;
    unread: number;
    /** True: it follows from a message that this participant wrote, which everybody sees anyway. */
    implied: boolean;
  };
  /** A contact's first conversation was opened by one of their sessions. */
  "conversation.opened": { conversationId: string; contactId: string };
  "contact.updated": { contactId: string; name: string };
  "user.updated": { user: User };
  /** A widget's settings changed, or it is gone (`enabled` false). */
  "widget.updated": { widgetId: string; enabled: boolean; allowedOrigins: string[] };
  /** An agent signed out, or a stolen refresh token was noticed. */
  "sign_in.ended": { signInId: string };
  /** A visitor ended their session. */
  "session.ended": { sessionHash: string };
  /** Everything of this user's is to be disconnected: disabled, or a changed password. */
  "user.ended": { userId: string };
}

export type DomainEvent = keyof DomainEvents;
type Listener<T extends DomainEvent> = (event: DomainEvents[T]) => void;

export interface EventBus {
  on<T extends DomainEvent>(type: T, listener: Listener<T>): () => void;
  emit<T extends DomainEvent>(type: T, event: DomainEvents[T]): void;
}

export function createEventBus(onError: (error: unknown) => void): EventBus {
  const listeners = new Map<DomainEvent, Set<(event: never) => void>>();
  return {
    on(type, listener) {
      const set = listeners.get(type) ?? new Set();
      listeners.set(type, set);
      set.add(listener as (event: never) => void);
      return () => set.delete(listener as (event: never) => void);
    },
    emit(type, event) {
      for (const listener of listeners.get(type) ?? []) {
        try {
          (listener as (event: unknown) => void)(event);
        } catch (error) {
          onError(error);
        }
      }
    },
  };
}
