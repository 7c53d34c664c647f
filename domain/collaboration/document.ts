/**
 * Edits of a shared document, without I/O: each is checked, transformed over what came after its
 * version, and applied. They are ordered by their arrival here.
 */
import { ParleyError } from "../../protocol/errors.ts";
import type { Author, EditReceipt } from "../../protocol/collaboration.ts";
import {
  composeAll,
  insertedBy,
  lengthOf,
  removedBy,
  type TextEdit,
  toEdits,
  toOperation,
  transform,
} from "../../protocol/text.ts";
import { bytesOf, type ChunkedText, editChunks, joinChunks, toChunks } from "./chunked_text.ts";

/** An edit that was accepted; it made `version` of the version before. */
export interface AcceptedEdit {
  version: number;
  edit: TextEdit;
  author: Author;
  clientId: string;
  opId: number | null;
}

/** The last command of one client that changed the text. */
export interface LastCommand {
  opId: number;
  version: number;
  count: number;
}

export interface TextDocument {
  version: number;
  text: ChunkedText;
  /** The newest edits, up to `version` without a gap. */
  recent: AcceptedEdit[];
  /** Last commands by author and client, the latest last. */
  clients: Map<string, LastCommand>;
}

export interface Submission {
  author: Author;
  clientId: string;
  /** Increases with the client's commands; null: this one is never sent again. */
  opId: number | null;
  version: number;
  /** Refused where the document is at another version. */
  exact?: boolean;
  edits: readonly TextEdit[];
}

export interface DocumentLimits {
  /** Of the text's UTF-8, and of what one command inserts. */
  documentBytes: number;
  editBytes: number;
  /** Edits that are kept: an edit of an older version cannot be transformed. */
  operations: number;
}

/** Clients of a document whose last command is kept; beyond that the least recent is forgotten. */
export const MAX_CLIENTS = 200;

export function emptyDocument(): TextDocument {
  return documentOf("", 0);
}

export function documentOf(
  text: string,
  version: number,
  clients: Iterable<[string, LastCommand]> = [],
): TextDocument {
  return { version, text: toChunks(text), recent: [], clients: new Map(clients) };
}

export const textOf = ({ text }: TextDocument): string => joinChunks(text);

/** A copy that can be edited without changing this one. */
export function copyOf(document: TextDocument): TextDocument {
  return { ...document, recent: [...document.recent], clients: new Map(document.clients) };
}

/** Appends the next edit. */
export function append(document: TextDocument, accepted: AcceptedEdit): void {
  const { edit, author, clientId, opId, version } = accepted;
  document.text = editChunks(document.text, edit);
  document.version = version;
  document.recent.push(accepted);
  if (opId === null) return;
  const key = keyOf(author, clientId);
  const last = document.clients.get(key);
  document.clients.delete(key);
  document.clients.set(key, {
    opId,
    version,
    count: last?.opId === opId ? last.count + 1 : 1,
  });
  if (document.clients.size <= MAX_CLIENTS) return;
  for (const oldest of document.clients.keys()) {
    document.clients.delete(oldest);
    return;
  }
}

/**
 * Accepts a command: its edits, transformed over what its author had not seen, become the next
 * versions. Changes nothing where it throws.
 *
 * @throws {ParleyError} `version_ahead`, `version_gone`, `conflict`, `out_of_range`, `too_large`.
 */
export function accept(
  document: TextDocument,
  submission: Submission,
  limits: DocumentLimits,
): { receipt: EditReceipt; accepted: AcceptedEdit[] } {
  const { author, clientId, opId, version, exact } = submission;
  const known = opId === null ? undefined : document.clients.get(keyOf(author, clientId));
  if (known !== undefined && opId! <= known.opId) {
    const { version, count } = known.opId === opId
      ? known
      : { version: document.version, count: 0 };
    return { receipt: { version, count, duplicate: true }, accepted: [] };
  }
  const missed = editsSince(document, version, limits.operations);
  if (exact && missed.length > 0) {
    throw new ParleyError(
      "conflict",
      `Cannot edit exactly version ${version}: the document is at ${document.version}`,
    );
  }
  checkSize(submission, limits);
  checkRange(document, missed, submission);
  let operation = composeAll(submission.edits);
  for (const { edit } of missed) operation = transform(operation, toOperation(edit), "right");
  const edits = toEdits(operation);
  checkGrowth(document, edits, limits);
  const accepted = edits.map((edit, i) => ({
    version: document.version + 1 + i,
    edit,
    author,
    clientId,
    opId,
  }));
  for (const one of accepted) append(document, one);
  return {
    receipt: { version: document.version, count: accepted.length, duplicate: false },
    accepted,
  };
}

/** @throws {ParleyError} `version_ahead`, `version_gone`. */
export function editsSince(document: TextDocument, version: number, kept: number): AcceptedEdit[] {
  const missing = document.version - version;
  if (missing < 0) {
    throw new ParleyError(
      "version_ahead",
      `Cannot edit version ${version}: the document is at ${document.version}`,
    );
  }
  if (missing > kept || missing > document.recent.length) {
    throw new ParleyError(
      "version_gone",
      `Cannot edit version ${version}: the document is at ${document.version}, join it again`,
      { limit: "MAX_DOCUMENT_OPERATIONS" },
    );
  }
  return missing === 0 ? [] : document.recent.slice(-missing);
}

function checkSize({ edits }: Submission, { editBytes }: DocumentLimits): void {
  const bytes = edits.reduce((sum, edit) => sum + bytesOf(insertedBy(edit)), 0);
  if (bytes <= editBytes) return;
  throw new ParleyError("too_large", `Cannot insert ${bytes} bytes: ${editBytes} are the most`, {
    limit: "MAX_EDIT_BYTES",
  });
}

function checkRange(document: TextDocument, missed: AcceptedEdit[], { edits }: Submission): void {
  let { length } = document.text;
  for (const { edit } of missed) length -= lengthOf(insertedBy(edit)) - removedBy(edit);
  for (const edit of edits) {
    const end = edit.position + removedBy(edit);
    if (end > length) {
      throw new ParleyError(
        "out_of_range",
        `Cannot ${edit.operation} at ${edit.position}: ${
          end > edit.position ? `it ends at ${end}, and ` : ""
        }the text has ${length} characters`,
      );
    }
    length += lengthOf(insertedBy(edit)) - removedBy(edit);
  }
}

/** What is inserted counts in full, because what is deleted with it may be gone already. */
function checkGrowth(
  { text }: TextDocument,
  edits: readonly TextEdit[],
  { documentBytes }: DocumentLimits,
): void {
  const inserted = edits.reduce((sum, edit) => sum + bytesOf(insertedBy(edit)), 0);
  if (inserted === 0 || text.bytes + inserted <= documentBytes) return;
  const after = edits.reduce(editChunks, text).bytes;
  if (after <= documentBytes) return;
  throw new ParleyError(
    "too_large",
    `Cannot edit: ${after} bytes are more than a document's ${documentBytes}`,
    { limit: "MAX_DOCUMENT_BYTES" },
  );
}

/** The `opId` of a client's last command that the document has. */
export function lastOpIdOf(
  document: TextDocument,
  author: Pick<Author, "userId">,
  clientId: string,
): number | null {
  return document.clients.get(keyOf(author, clientId))?.opId ?? null;
}

const keyOf = ({ userId }: Pick<Author, "userId">, clientId: string) => `${userId} ${clientId}`;
