import type { Author } from "../protocol/collaboration.ts";
import type { SessionMember } from "../protocol/native.ts";
import type { TextOperation } from "../protocol/text.ts";
import type { ParleyClientError } from "./errors.ts";

/** What a document belongs to. */
export type DocumentTarget =
  | { conversationId: string }
  | { contactId: string }
  | { contextId: string; sessionId: string };

export interface OpenOptions {
  /** A role named "viewer" may not edit; every other role may. Default "participant". */
  role?: string;
  /** Identifies this window; unique among all windows. Default: generated. */
  clientId?: string;
}

/** Another person's cursor. Positions are in code points of `document.text`. */
export interface PeerCursor extends Author {
  clientId: string;
  position: number;
  /** The other end of the selection; equal to `position` where nothing is selected. */
  selectionEnd: number;
}

/** `loading`: the text is not here yet; `offline`: edits are kept and sent later. */
export type DocumentStatus = "loading" | "ready" | "offline" | "failed" | "closed";

export interface DocumentEvents {
  /** The text changed. `local`: by `change`, `splice` or `setText` of this document. */
  change: { operation: TextOperation; local: boolean };
  cursors: readonly PeerCursor[];
  members: readonly SessionMember[];
  status: DocumentStatus;
  /** True when every local edit is stored, false when one is not stored yet. */
  settled: boolean;
  /** The server refused an edit, which is undone, or refused the document itself. */
  error: ParleyClientError;
}
