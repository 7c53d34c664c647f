/**
 * The event bus of the domain. Listeners are called in the order in which they were added, after the
 * change is stored; one that throws is reported, and the others are called nevertheless.
 */
import type { Change } from "../db/change_feed.ts";
import type { DocumentEdit } from "../protocol/collaboration.ts";
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
  /** What agents said in the workspace's chat, in the order of seq, committed. */
  "workspace.logged": { entries: LogEntry[] };
  /** The list row of a conversation changed; `conversation` is its state after the commit. */
  "conversation.updated": {
    conversation: Conversation;
    /** What was logged with it; absent where only a name was changed. */
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
    /** True: it follows from a message that this participant wrote, which everybody sees anyway. */
    implied: boolean;
    /**
     * Which of `pointers` this participant moved, in order; none where others were there before.
     * `messageId` is the newest message of the other side that it is about.
     */
    receipts: (Receipt & { messageId: string | null })[];
  };
  /** What a move on purpose was about, message by message, each status of a message once. */
  "messages.status": { conversationId: string } & MessageStatuses;
  /** Made, or grown by a message more. `unread` counts all that this user has not read. */
  "notification.made": { notification: Notification; unread: number };
  /** null: all of this user's. */
  "notifications.read": { userId: string; ids: string[] | null; readAt: string; unread: number };
  "notifications.preferences": { userId: string; preferences: NotificationPreferences };
  /** A contact's first conversation was opened by one of their sessions. */
  "conversation.opened": { conversationId: string; contactId: string };
  "contact.updated": { contactId: string; name: string };
  "user.updated": { user: User };
  /** A widget's settings changed, or it is gone (`enabled` false). */
  "widget.updated": {
    widgetId: string;
    enabled: boolean;
    allowedOrigins: string[];
    appearance: WidgetAppearance;
  };
  /** Context rules were added, changed, ordered or removed on this node. */
  "rules.changed": Record<string, never>;
  /** A shared document took an edit, in the order of versions, committed. */
  "document.edited": {
    edit: DocumentEdit;
    subject: Subject;
    /** The connection that it came over. */
    origin: string;
  };
  /** An agent signed out, or a stolen refresh token was noticed. */
  "sign_in.ended": { signInId: string };
  /** A visitor ended their session. */
  "session.ended": { sessionHash: string };
  /** Rows of followed tables, as committed and in this order, by whoever changed them. */
  "table.changed": { changes: readonly Change[] };
  /** Changes of tables were forgotten before this process had read them. */
  "table.lost": Record<string, never>;
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
