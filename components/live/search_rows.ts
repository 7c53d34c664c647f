/** The results of a search as rows. */
import type {
  FoundContact,
  FoundConversation,
  FoundMessage,
  Marked,
  SearchKind,
  SearchResponse,
} from "../../protocol/search.ts";

export type Found =
  | { kind: "conversation"; key: string; conversation: FoundConversation }
  | { kind: "contact"; key: string; contact: FoundContact }
  | { kind: "message"; key: string; message: FoundMessage }
  /** Loads the next page of its kind. */
  | { kind: "more"; key: string; of: SearchKind };

export interface FoundGroup {
  kind: SearchKind;
  title: string;
  rows: Found[];
}

/** The groups with results, in their order. */
export function foundIn({ conversations, contacts, messages }: SearchResponse): FoundGroup[] {
  const groups: FoundGroup[] = [];
  const add = (kind: SearchKind, title: string, rows: Found[], next: string | null = null) => {
    if (rows.length === 0) return;
    const more: Found[] = next === null ? [] : [{ kind: "more", key: `more-${kind}`, of: kind }];
    groups.push({ kind, title, rows: [...rows, ...more] });
  };
  const shown = new Set(conversations?.items.map(({ id }) => id));
  add(
    "conversations",
    "Conversations",
    (conversations?.items ?? []).map((conversation) => {
      return { kind: "conversation", key: `conversation-${conversation.id}`, conversation };
    }),
    conversations?.nextCursor,
  );
  add(
    "contacts",
    "People",
    // A person whose conversation is in the first group needs no second row.
    (contacts?.items ?? []).filter(({ conversationId }) =>
      conversationId === null || !shown.has(conversationId)
    ).map((contact) => ({ kind: "contact", key: `contact-${contact.id}`, contact })),
    contacts?.nextCursor,
  );
  add(
    "messages",
    "Messages",
    (messages?.items ?? []).map((message) => {
      return { kind: "message", key: `message-${message.id}`, message };
    }),
    messages?.nextCursor,
  );
  return groups;
}

export interface Part {
  text: string;
  found: boolean;
}

/** Splits a text into matched and other parts, in order. */
export function partsOf({ text, ranges }: Marked): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const { start, end } of ranges) {
    if (start > at) parts.push({ text: text.slice(at, start), found: false });
    parts.push({ text: text.slice(start, end), found: true });
    at = end;
  }
  if (at < text.length) parts.push({ text: text.slice(at), found: false });
  return parts;
}
