/** Drafts as pure functions: what this device has, what the server has, and how they come together. */
import type { Draft, DraftMode } from "../../protocol/drafts.ts";

export interface DraftText {
  conversationId: string;
  mode: DraftMode;
  /** What is in the composer of this device. */
  content: string;
  /** What the server has, as far as it is known; "": no draft. */
  saved: string;
  /** Of `saved`; 0: unknown. */
  version: number;
  /** What the agent wrote on another device while this one had text that was not saved. */
  other: Draft | null;
}

export type DraftTexts = ReadonlyMap<string, DraftText>;

export const draftKey = (conversationId: string, mode: DraftMode) => `${conversationId}.${mode}`;

/** Whether the server lacks a part of it. White space alone is no draft. */
export function isUnsaved({ content, saved }: DraftText): boolean {
  return content !== saved && (content.trim() !== "" || saved !== "");
}

function from({ conversationId, mode, content, version }: Draft): DraftText {
  return { conversationId, mode, content, saved: content, version, other: null };
}

/**
 * The draft after the server said what it has. Text that is not saved here is never replaced by
 * another text: then both are kept, and the agent chooses.
 *
 * @param sending what this device is saving at the moment
 */
export function received(
  known: DraftText | undefined,
  draft: Draft,
  sending?: string,
): DraftText {
  if (known === undefined) return from(draft);
  const { content, version } = draft;
  if (version <= known.version) return known;
  // This device's own: by now the composer may have another text, or none since it was sent.
  if (content === sending) return { ...known, saved: content, version };
  if (!isUnsaved(known)) return from(draft);
  const seen = known.other === null ? known : { ...known, other: null };
  // It was sent or emptied elsewhere, or everything of it is in this text.
  if (known.content.startsWith(content)) return { ...seen, saved: content, version };
  if (content.startsWith(known.content) && known.content.trim() !== "") return from(draft);
  // Sent from here, but more was written elsewhere.
  if (known.content.trim() === "") return from(draft);
  return { ...known, other: draft };
}

/** What the agent chose of two texts. */
export function chosen(known: DraftText, choice: "this" | "other" | "both"): DraftText {
  const { other, content } = known;
  if (other === null) return known;
  const text = choice === "this"
    ? content
    : choice === "other"
    ? other.content
    : `${content}\n${other.content}`;
  return { ...from(other), content: text };
}

/** The list after a complete reading. `changed` are keys that changed while it was read. */
export function reread(
  texts: DraftTexts,
  drafts: readonly Draft[],
  changed: ReadonlySet<string>,
): DraftTexts {
  const next = new Map(texts);
  const found = new Set(drafts.map(({ conversationId, mode }) => draftKey(conversationId, mode)));
  for (const [key, text] of texts) {
    if (found.has(key) || changed.has(key)) continue;
    if (!isUnsaved(text)) next.delete(key);
    else next.set(key, { ...text, saved: "", other: null });
  }
  for (const draft of drafts) {
    const key = draftKey(draft.conversationId, draft.mode);
    if (!changed.has(key)) next.set(key, received(next.get(key), draft));
  }
  return next;
}

/** Characters of a draft in the list. */
const PREVIEW = 120;

/** The beginning of what is not sent in a conversation, for the list; null: nothing. */
export function draftPreview(texts: DraftTexts, conversationId: string): string | null {
  for (const mode of ["reply", "note"] as const) {
    const text = texts.get(draftKey(conversationId, mode))?.content.trim() ?? "";
    if (text !== "") return text.slice(0, PREVIEW);
  }
  return null;
}
