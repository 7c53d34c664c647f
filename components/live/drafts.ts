/** What was written and not sent, per conversation, for as long as the tab lives. */
export interface Draft {
  text: string;
  isPrivate: boolean;
  /** The reply is written together with others; `text` is what was written alone before. */
  isShared: boolean;
}

const PREFIX = "parley.draft.";

export function readDraft(conversationId: string): Draft {
  try {
    const stored = JSON.parse(sessionStorage.getItem(PREFIX + conversationId) ?? "null");
    if (typeof stored?.text === "string") {
      const { text, isPrivate, isShared } = stored;
      return { text, isPrivate: isPrivate === true, isShared: isShared === true };
    }
  } catch {
    // No storage, or something else wrote there: an empty draft is right for both.
  }
  return { text: "", isPrivate: false, isShared: false };
}

export function writeDraft(conversationId: string, draft: Draft) {
  try {
    if (draft.text.trim() === "" && !draft.isShared) {
      sessionStorage.removeItem(PREFIX + conversationId);
    } else sessionStorage.setItem(PREFIX + conversationId, JSON.stringify(draft));
  } catch {
    // The storage is full or forbidden; the text is still in the composer.
  }
}

const TAKEN = "parley.taken.";

/** A shared text that is being taken out to be sent. */
export interface Taken {
  text: string;
  /** The newest message before it. */
  seq: number;
}

export function readTaken(conversationId: string): Taken | null {
  try {
    const stored = JSON.parse(sessionStorage.getItem(TAKEN + conversationId) ?? "null");
    const { text, seq } = stored ?? {};
    return typeof text === "string" && typeof seq === "number" ? { text, seq } : null;
  } catch {
    return null;
  }
}

export function writeTaken(conversationId: string, taken: Taken | null) {
  try {
    if (taken === null) sessionStorage.removeItem(TAKEN + conversationId);
    else sessionStorage.setItem(TAKEN + conversationId, JSON.stringify(taken));
  } catch {
    // Without it only a page that ends in this very moment loses the text.
  }
}
