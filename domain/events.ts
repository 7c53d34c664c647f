/**
 * The event bus of the domain. Listeners are called in the order in which they were added, after the
 * change is stored; one that throws is reported, and the others are called nevertheless.
 */
import type { Change } from "../db/change_feed.ts";
import type { DocumentEdit } from "../protocol/collaboration.ts";
import type { Draft } from "../protocol/drafts.ts";
import type {
  Conversation,
  Notification,
  Pointers,
  User,
  WidgetAppearance,
} from "../protocol/model.ts";
import type { Receipt } from "../protocol/native.ts";
import type { NotificationPreferences } from "../protocol/notifications.ts";
import type { Subject } from "./collaboration/types.ts";
import type { LogEntry, MessageStatuses } from "./conversations/event_types.ts";

export type { LogEntry };

export interface DomainEvents {
  /** Durable changes of one conversation, in the order of seq, committed. */
  "conversation.logged": { conversationId: string; entries: LogEntry[] };
  /** Messages of the workspace's chat, in the order of seq, committed. */
  "workspace.logged": { entries: LogEntry[] };
  /** The list row of a conversation changed; `conversation` is its state after the commit. */
  "conversation.updated": {
    conversation: Conversation;
    /** The entries of the same commit; absent where only a name was changed. */
    entries?: LogEntry[];
  };
  /** Someone received or read further. `unread` is of that participant. */
  "conversation.pointers": {
    conversationId: string;
    userId: string;
    role: "agent" | "visitor";
    pointers: Pointers;
    readSeq: number;
    unread: number;
    /** True: it follows from a message of this participant, which everybody sees. */
    implied: boolean;
    /**
     * Which of `pointers` this participant moved, in order; none where others had moved them as far.
     * `messageId` is the newest message of the other side up to the pointer.
     */
    receipts: (Receipt & { messageId: string | null })[];
  };
  /** The messages of an explicit move of a pointer, each status of a message once. */
  "messages.status": { conversationId: string } & MessageStatuses;
  /** A notification is new, or has one more message. `unread` counts all unread ones of its user. */
  "notification.made": { notification: Notification; unread: number };
  /** `ids` null: all of this user's. */
  "notifications.read": { userId: string; ids: string[] | null; readAt: string; unread: number };
  "notifications.preferences": { userId: string; preferences: NotificationPreferences };
  /** A reply for a later time was added, changed, cancelled or sent. */
  "scheduled.changed": { conversationId: string };
  /** An agent changed or deleted (`content` "") a draft. */
  "draft.saved": { userId: string; draft: Draft };
  /** A contact's first conversation was opened by one of their sessions. */
  "conversation.opened": { conversationId: string; contactId: string };
  "contact.updated": { contactId: string; name: string };
  /** A contact may not write any more, or may again. */
  "contact.blocked": { contactId: string; isBlocked: boolean };
  "user.updated": { user: User };
  /** A widget was changed or deleted (`enabled` false). */
  "widget.updated": {
    widgetId: string;
    enabled: boolean;
    allowedOrigins: string[];
    appearance: WidgetAppearance;
  };
  /** Context rules were added, changed, ordered or removed on this node. */
  "rules.changed": Record<string, never>;
  /** An edit of a shared document, in the order of versions, committed. */
  "document.edited": {
    edit: DocumentEdit;
    subject: Subject;
    /** The connection that it came over. */
    origin: string;
  };
  /** An agent signed out, or the reuse of a refresh token was detected. */
  "sign_in.ended": { signInId: string };
  /** A visitor ended their session. */
  "session.ended": { sessionHash: string };
  /** Changes of followed tables by any program, in the order of commits. */
  "table.changed": { changes: readonly Change[] };
  /** Changes of tables were forgotten before this process had read them. */
  "table.lost": Record<string, never>;
  /** All connections of this user have to end: disabled, or a changed password. */
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
