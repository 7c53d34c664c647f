/**
 * What a shared document does with an edit, without I/O: check it, move it past what came since the
 * version that it is of, apply it. The order of edits is that in which they come here.
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
import { bytesOf, edited, joined, type Pieces, piecesOf } from "./pieces.ts";

/** An edit that was taken; it made `version` of the version before. */
export interface TakenEdit {
  version: number;
  edit: TextEdit;
  author: Author;
  clientId: string;
  opId: number | null;
}

/** The last command of one client that changed the text. */
export interface ClientMark {
  opId: number;
  version: number;
  count: number;
}

export interface TextDocument {
  version: number;
  pieces: Pieces;
  /** The newest edits, up to `version` without a gap. */
  recent: TakenEdit[];
  /** By author and client, the latest last. */
  clients: Map<string, ClientMark>;
}

export interface Submission {
  author: Author;
  clientId: string;
  /** Counts up with the client's commands; null: this one is never sent again. */
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
  /** Edits that are kept: one of an older version cannot be moved past them. */
  operations: number;
}

/** Clients of a document whose last command is remembered; past it the longest silent is forgotten. */
export const MAX_CLIENTS = 200;

export function emptyDocument(): TextDocument {
  return documentOf("", 0);
}

export function documentOf(
  text: string,
  version: number,
  clients: Iterable<[string, ClientMark]> = [],
): TextDocument {
  return { version, pieces: piecesOf(text), recent: [], clients: new Map(clients) };
}

export const textOf = ({ pieces }: TextDocument): string => joined(pieces);

/** A copy that can be edited without changing this one. */
export function copyOf(document: TextDocument): TextDocument {
  return { ...document, recent: [...document.recent], clients: new Map(document.clients) };
}

/** Appends an edit that is known to be the next one. */
export function append(document: TextDocument, taken: TakenEdit): void {
  const { edit, author, clientId, opId, version } = taken;
  document.pieces = edited(document.pieces, edit);
  document.version = version;
  document.recent.push(taken);
  if (opId === null) return;
  const key = keyOf(author, clientId);
  const mark = document.clients.get(key);
  document.clients.delete(key);
  document.clients.set(key, {
    opId,
    version,
    count: mark?.opId === opId ? mark.count + 1 : 1,
  });
  if (document.clients.size <= MAX_CLIENTS) return;
  for (const oldest of document.clients.keys()) {
    document.clients.delete(oldest);
    return;
  }
}

/**
 * Takes a command: its edits, moved past what its author had not seen, become the next versions.
 * Nothing is changed where it throws.
 *
 * @throws {ParleyError} `version_ahead`, `version_gone`, `conflict`, `out_of_range`, `too_large`.
 */
export function accept(
  document: TextDocument,
  submission: Submission,
  limits: DocumentLimits,
): { receipt: EditReceipt; taken: TakenEdit[] } {
  const { author, clientId, opId, version, exact } = submission;
  const known = opId === null ? undefined : document.clients.get(keyOf(author, clientId));
  if (known !== undefined && opId! <= known.opId) {
    const { version, count } = known.opId === opId
      ? known
      : { version: document.version, count: 0 };
    return { receipt: { version, count, duplicate: true }, taken: [] };
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
  const taken = edits.map((edit, i) => ({
    version: document.version + 1 + i,
    edit,
    author,
    clientId,
    opId,
  }));
  for (const one of taken) append(document, one);
  return {
    receipt: { version: document.version, count: taken.length, duplicate: false },
    taken,
  };
}

/** @throws {ParleyError} `version_ahead`, `version_gone`. */
export function editsSince(document: TextDocument, version: number, kept: number): TakenEdit[] {
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

function checkRange(document: TextDocument, missed: TakenEdit[], { edits }: Submission): void {
  let { length } = document.pieces;
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

/** What is inserted counts in full: what is taken out beside it may be gone already. */
function checkGrowth(
  { pieces }: TextDocument,
  edits: readonly TextEdit[],
  { documentBytes }: DocumentLimits,
): void {
  const inserted = edits.reduce((sum, edit) => sum + bytesOf(insertedBy(edit)), 0);
  if (inserted === 0 || pieces.bytes + inserted <= documentBytes) return;
  const after = edits.reduce(edited, pieces).bytes;
  if (after <= documentBytes) return;
  throw new ParleyError(
    "too_large",
    `Cannot edit: ${after} bytes are more than a document's ${documentBytes}`,
    { limit: "MAX_DOCUMENT_BYTES" },
  );
}

/** The last command of a client's that the document remembers. */
export function lastOpIdOf(
  document: TextDocument,
  author: Pick<Author, "userId">,
  clientId: string,
): number | null {
  return document.clients.get(keyOf(author, clientId))?.opId ?? null;
}

const keyOf = ({ userId }: Pick<Author, "userId">, clientId: string) => `${userId} ${clientId}`;
