/** What the browser keeps of texts that are not sent. At sign-out all of it goes. */
import type { MacroActions } from "../../protocol/canned_responses.ts";
import type { DraftMode } from "../../protocol/drafts.ts";
import type { MessageFile } from "../../protocol/model.ts";
import { browserStorage, tabStorage } from "./browser_storage.ts";

/** Whose text it is: the next agent who signs in in the same browser must not see it. */
export interface DraftKey {
  userId: string;
  conversationId: string;
}

const PREFIX = "parley.draft.";
const nameOf = ({ userId, conversationId }: DraftKey) => `${userId}.${conversationId}`;

/** A text that the server does not have yet. */
export interface UnsavedDraft {
  conversationId: string;
  mode: DraftMode;
  content: string;
  /** The version that it is based on. */
  version: number;
}

/** All unsaved texts of this agent, from every tab of this browser. */
export function readUnsaved(userId: string): UnsavedDraft[] {
  const found: UnsavedDraft[] = [];
  const prefix = `${PREFIX}${userId}.`;
  for (const key of keysOf(browserStorage())) {
    if (!key.startsWith(prefix)) continue;
    const [conversationId = "", mode] = key.slice(prefix.length).split(".");
    if (mode !== "reply" && mode !== "note") continue;
    const { content, version } = parse(browserStorage().getItem(key));
    if (typeof content !== "string" || typeof version !== "number") continue;
    found.push({ conversationId, mode, content, version });
  }
  return [...found, ...readOfTab(prefix)];
}

/** What older versions kept in the tab alone, once. */
function readOfTab(prefix: string): UnsavedDraft[] {
  return keysOf(tabStorage()).filter((key) => key.startsWith(prefix)).flatMap((key) => {
    const stored = parse(tabStorage().getItem(key));
    write(tabStorage(), key, null);
    const conversationId = key.slice(prefix.length);
    return (["reply", "note"] as const).flatMap((mode) => {
      const content = stored[mode];
      return typeof content === "string" && content !== ""
        ? { conversationId, mode, content, version: 0 }
        : [];
    });
  });
}

/** @param content null: the server has it */
export function writeUnsaved(
  { mode, ...key }: DraftKey & { mode: DraftMode },
  content: string | null,
  version: number,
) {
  const name = `${PREFIX}${nameOf(key)}.${mode}`;
  write(browserStorage(), name, content === null ? null : { content, version });
}

/** What is being written in a conversation, without any text. */
export interface Writing {
  /** The note, not the reply. */
  isPrivate: boolean;
  /** The reply is written together with others. */
  isShared: boolean;
  /** What else is done when it is sent. */
  macro?: MacroActions | undefined;
}

export function readWriting(key: DraftKey): Writing {
  const stored = parse(tabStorage().getItem(`${PREFIX}mode.${nameOf(key)}`));
  return {
    isPrivate: stored["isPrivate"] === true,
    isShared: stored["isShared"] === true,
    macro: stored["macro"] as MacroActions | undefined,
  };
}

export function writeWriting(key: DraftKey, writing: Writing) {
  const isDefault = !writing.isPrivate && !writing.isShared && writing.macro === undefined;
  write(tabStorage(), `${PREFIX}mode.${nameOf(key)}`, isDefault ? null : writing);
}

/** A text that is on its way from the composer to the server. */
export interface PendingSend {
  text: string;
  /** The newest message before it. */
  seq: number;
}

export function readPendingSend(key: DraftKey): PendingSend | null {
  const { text, seq } = parse(tabStorage().getItem(`${PREFIX}send.${nameOf(key)}`));
  return typeof text === "string" && typeof seq === "number" ? { text, seq } : null;
}

export function writePendingSend(key: DraftKey, pending: PendingSend | null) {
  write(tabStorage(), `${PREFIX}send.${nameOf(key)}`, pending);
}

/** A reply that can still be taken back. */
export interface HeldText {
  clientMessageId: string;
  conversationId: string;
  content: string;
  files?: MessageFile[] | undefined;
  replyToId?: string;
}

/** What a page that was killed has left behind. */
export function readHeld(userId: string): HeldText[] {
  const { items } = parse(tabStorage().getItem(`${PREFIX}held.${userId}`));
  return Array.isArray(items) ? items : [];
}

export function writeHeld(userId: string, held: readonly HeldText[]) {
  const items = held.map(({ clientMessageId, conversationId, content, files, replyToId }) => {
    return { clientMessageId, conversationId, content, files, replyToId };
  });
  write(tabStorage(), `${PREFIX}held.${userId}`, items.length === 0 ? null : { items });
}

/** At sign-out, on a device that others may use. */
export function forgetDrafts() {
  for (const storage of [browserStorage(), tabStorage()]) {
    for (const key of keysOf(storage)) if (key.startsWith(PREFIX)) write(storage, key, null);
  }
}

type Kept = ReturnType<typeof browserStorage>;

/** Without storage, or with a value of another program, there is nothing. */
function parse(text: string | null): Record<string, unknown> {
  try {
    return JSON.parse(text ?? "null") ?? {};
  } catch {
    return {};
  }
}

function write(storage: Kept, key: string, value: unknown) {
  try {
    if (value === null) storage.removeItem(key);
    else storage.setItem(key, JSON.stringify(value));
  } catch {
    // The storage is full or forbidden; the text is still in the composer.
  }
}

function keysOf(storage: Kept): string[] {
  return Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
}
