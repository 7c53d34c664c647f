/** The unsent texts of a conversation, kept as long as the tab exists. */
export interface Draft {
  reply: string;
  /** Never becomes a reply: only the team may read it. */
  note: string;
  /** The note is what is being written. */
  isPrivate: boolean;
  /** The reply is written together with others; `reply` is what this agent wrote alone before. */
  isShared: boolean;
}

/** Whose text it is: the next agent who signs in in the same tab must not see it. */
export interface DraftKey {
  userId: string;
  conversationId: string;
}

const PREFIX = "parley.draft.";
const nameOf = ({ userId, conversationId }: DraftKey) => `${userId}.${conversationId}`;

export function readDraft(key: DraftKey): Draft {
  try {
    const stored = JSON.parse(sessionStorage.getItem(PREFIX + nameOf(key)) ?? "null");
    const flags = { isPrivate: stored?.isPrivate === true, isShared: stored?.isShared === true };
    if (typeof stored?.reply === "string" && typeof stored.note === "string") {
      return { reply: stored.reply, note: stored.note, ...flags };
    }
  } catch {
    // Without storage, or with a value of another program, the draft is empty.
  }
  return { reply: "", note: "", isPrivate: false, isShared: false };
}

export function writeDraft(key: DraftKey, draft: Draft) {
  const isEmpty = draft.reply.trim() === "" && draft.note.trim() === "" && !draft.isShared;
  try {
    if (isEmpty) sessionStorage.removeItem(PREFIX + nameOf(key));
    else sessionStorage.setItem(PREFIX + nameOf(key), JSON.stringify(draft));
  } catch {
    // The storage is full or forbidden; the text is still in the composer.
  }
}

const PENDING_SEND = "parley.pending_send.";

/** A shared text that is being taken out in order to be sent. */
export interface PendingSend {
  text: string;
  /** The newest message before it. */
  seq: number;
}

export function readPendingSend(key: DraftKey): PendingSend | null {
  try {
    const stored = JSON.parse(sessionStorage.getItem(PENDING_SEND + nameOf(key)) ?? "null");
    const { text, seq } = stored ?? {};
    return typeof text === "string" && typeof seq === "number" ? { text, seq } : null;
  } catch {
    return null;
  }
}

export function writePendingSend(key: DraftKey, pending: PendingSend | null) {
  try {
    if (pending === null) sessionStorage.removeItem(PENDING_SEND + nameOf(key));
    else sessionStorage.setItem(PENDING_SEND + nameOf(key), JSON.stringify(pending));
  } catch {
    // Without storage, the text is lost only if the page ends at this very moment.
  }
}
