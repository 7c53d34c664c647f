import type { Author } from "../protocol/collaboration.ts";
import {
  applyEdit,
  applyOperation,
  compose,
  composeAll,
  inverseOf,
  lengthOf,
  movePosition,
  type TextEdit,
  type TextOperation,
  toEdits,
  toOperation,
  toPosition,
  transform,
} from "../protocol/text.ts";

/** The most that one command carries, so that it fits a frame whatever the characters are. */
const MAX_CONTENT = 10_000;
const MAX_EDITS = 100;
/** Edits that arrived before an earlier one; past this number the whole text is loaded again. */
const MAX_EARLY = 1_000;

/** Edits that are under way. `opId` stays the same when they are sent again. */
export interface Sending {
  opId: number;
  version: number;
  edits: TextEdit[];
  /** Refused where another person's edit came in between. */
  exact?: true;
}

/** An edit in the server's order. */
export interface ServerEdit {
  version: number;
  edit: TextEdit;
  clientId: string;
  opId: number | null;
  author?: Author;
}

export interface SharedTextHandlers {
  /** The text was changed by others or undone; `operation` describes the difference. */
  onChange(operation: TextOperation): void;
  /** An edit was applied in the server's order. `own`: its text was here before. */
  onApplied(edit: ServerEdit, own: boolean): void;
}

/**
 * One text on one client, without I/O: the server's text, the edits that are under way, the edits
 * that wait after them, and the resulting text. Edits that arrive are ordered by their versions, so
 * one may arrive twice or too early. The rules are the server's, so both arrive at the same text.
 */
export class SharedText {
  readonly clientId: string;
  /** What the user sees. */
  text = "";
  /** The newest version of the server's text that is in it. */
  version = 0;
  #handlers: SharedTextHandlers;
  #server = "";
  #lastOpId = 0;
  #sending: { opId: number; operation: TextOperation; exact?: Sending } | null = null;
  #waiting: TextOperation = [];
  #early = new Map<number, ServerEdit>();
  /** The answer to the edits under way, while edits that precede them are still missing. */
  #answer: { version: number; count: number } | null = null;

  constructor(clientId: string, handlers: SharedTextHandlers) {
    this.clientId = clientId;
    this.#handlers = handlers;
  }

  /** All local edits are in the server's order. */
  get isSettled(): boolean {
    return this.#sending === null && this.#waiting.length === 0;
  }

  /** An earlier edit is still missing. */
  get hasGap(): boolean {
    return this.#early.size > 0 || this.#answer !== null;
  }

  /** Converts a position of the server's text to one of the text that is shown. */
  shown(position: number): number {
    const own = this.#sending === null ? position : movePosition(position, this.#sending.operation);
    return movePosition(own, this.#waiting);
  }

  /** The user changed the text. */
  change(operation: TextOperation): void {
    this.text = applyOperation(this.text, operation);
    this.#waiting = compose(this.#waiting, operation);
  }

  /** The edits to send, or to send again after a lost connection; null: none. */
  next(): Sending | null {
    if (this.#sending === null) {
      const { first, rest } = cut(toEdits(this.#waiting));
      if (first.length === 0) return null;
      this.#waiting = composeAll(rest);
      this.#sending = { opId: ++this.#lastOpId, operation: composeAll(first) };
    }
    const { opId, operation, exact } = this.#sending;
    return exact ?? { opId, version: this.version, edits: toEdits(operation) };
  }

  /**
   * Makes an edit that the server takes only unchanged. Call it while everything else is stored.
   *
   * @returns its `opId`
   */
  changeExactly(operation: TextOperation): number {
    const opId = ++this.#lastOpId;
    const { version } = this;
    const exact: Sending = { opId, version, edits: toEdits(operation), exact: true };
    this.#sending = { opId, operation, exact };
    this.text = applyOperation(this.text, operation);
    return opId;
  }

  /** Whether the edit with this `opId` is under way. */
  isSending(opId: number): boolean {
    return this.#sending?.opId === opId;
  }

  /**
   * The answer to the edits that were sent.
   *
   * @returns false: it does not fit the text here, which has to be loaded again
   */
  acknowledge(opId: number, answer: { version: number; count: number }): boolean {
    if (this.#sending?.opId !== opId) return true;
    this.#answer = answer;
    return this.#advance();
  }

  /** An edit in the server's order. @returns as `acknowledge`. */
  receive(edit: ServerEdit): boolean {
    if (edit.version <= this.version) return true;
    this.#early.set(edit.version, edit);
    return this.#early.size <= MAX_EARLY && this.#advance();
  }

  /**
   * The server's whole text, where the edits up to it are not known.
   *
   * @param lastOpId the last of this client's edits that is in it
   */
  load(version: number, content: string, lastOpId: number | null): void {
    if (this.#sending !== null && lastOpId !== null && lastOpId >= this.#sending.opId) {
      this.#server = applyOperation(this.#server, this.#sending.operation);
      this.#sending = null;
    }
    this.#lastOpId = Math.max(this.#lastOpId, lastOpId ?? 0);
    this.#pass(difference(this.#server, content));
    this.#server = content;
    this.version = version;
    this.#early.clear();
    this.#answer = null;
  }

  /** Undoes the edits that the server refuses, and everything written on top of them. */
  discard(): void {
    this.#sending = null;
    this.#waiting = [];
    this.#answer = null;
    const operation = difference(this.text, this.#server);
    this.text = this.#server;
    this.#handlers.onChange(operation);
  }

  /** Undoes the edits that are under way, and keeps what was written after them. */
  revert(): void {
    if (this.#sending === null) return;
    const inverse = inverseOf(this.#sending.operation, this.#server);
    this.#sending = null;
    this.#answer = null;
    const shown = transform(inverse, this.#waiting, "left");
    this.#waiting = transform(this.#waiting, inverse, "right");
    this.text = applyOperation(this.text, shown);
    this.#handlers.onChange(shown);
  }

  #advance(): boolean {
    for (;;) {
      const answer = this.#answer;
      if (answer !== null && this.version >= answer.version - answer.count) {
        if (!this.#finish(answer)) return false;
        continue;
      }
      const next = this.#early.get(this.version + 1);
      if (next === undefined) break;
      this.#early.delete(next.version);
      if (!this.#apply(next)) return false;
    }
    for (const version of this.#early.keys()) {
      if (version <= this.version) this.#early.delete(version);
    }
    return true;
  }

  /** All earlier edits are here: applies the edits that were sent and did not arrive as events. */
  #finish({ version, count }: { version: number; count: number }): boolean {
    this.#answer = null;
    const { opId, operation } = this.#sending!;
    const edits = toEdits(operation);
    if (edits.length !== Math.max(0, version - this.version) || edits.length > count) return false;
    this.#sending = null;
    for (const edit of edits) {
      this.#server = applyEdit(this.#server, edit);
      this.version++;
      const { clientId } = this;
      this.#handlers.onApplied({ version: this.version, edit, clientId, opId }, true);
    }
    return true;
  }

  #apply(next: ServerEdit): boolean {
    const { edit, clientId, opId, version } = next;
    const own = clientId === this.clientId && opId !== null && opId === this.#sending?.opId;
    if (own) {
      const [first, ...rest] = toEdits(this.#sending!.operation);
      if (JSON.stringify(toOperation(edit)) !== JSON.stringify(first && toOperation(first))) {
        return false;
      }
      if (rest.length > 0) this.#sending!.operation = composeAll(rest);
      else {
        this.#sending = null;
        this.#answer = null;
      }
    } else this.#pass(toOperation(edit));
    this.#server = applyEdit(this.#server, edit);
    this.version = version;
    this.#handlers.onApplied(next, own);
    return true;
  }

  /** Transforms another person's change against all local edits that are not stored yet. */
  #pass(operation: TextOperation): void {
    let passing = operation;
    if (this.#sending !== null) {
      const { operation: sending } = this.#sending;
      this.#sending.operation = transform(sending, passing, "right");
      passing = transform(passing, sending, "left");
    }
    const waiting = this.#waiting;
    this.#waiting = transform(waiting, passing, "right");
    passing = transform(passing, waiting, "left");
    if (passing.length === 0) return;
    this.text = applyOperation(this.text, passing);
    this.#handlers.onChange(passing);
  }
}

/** As many edits as one command carries, and the rest. */
function cut(edits: TextEdit[]): { first: TextEdit[]; rest: TextEdit[] } {
  const first: TextEdit[] = [];
  let room = MAX_CONTENT;
  for (let i = 0; i < edits.length; i++) {
    const edit = edits[i]!;
    const content = "content" in edit ? edit.content : "";
    if (first.length === MAX_EDITS || room === 0) return { first, rest: edits.slice(i) };
    if (content.length <= room) {
      first.push(edit);
      room -= content.length;
      continue;
    }
    // Never split a surrogate pair.
    const end = room - (isHigh(content, room - 1) ? 1 : 0);
    if (end === 0) return { first, rest: edits.slice(i) };
    const head = content.slice(0, end);
    const position = edit.position + lengthOf(head);
    const tail: TextEdit = { operation: "insert", position, content: content.slice(end) };
    return {
      first: [...first, { ...edit, content: head } as TextEdit],
      rest: [tail, ...edits.slice(i + 1)],
    };
  }
  return { first, rest: [] };
}

/**
 * The difference between two texts as one operation.
 *
 * @param end where the change ends in the new text, in UTF-16 code units, where that is known (the
 *   cursor)
 */
export function difference(before: string, after: string, end = 0): TextOperation {
  const most = Math.min(before.length, after.length);
  const mostSuffix = Math.min(most, after.length - Math.min(end, after.length));
  let suffix = 0;
  while (
    suffix < mostSuffix &&
    before.charCodeAt(before.length - 1 - suffix) === after.charCodeAt(after.length - 1 - suffix)
  ) suffix++;
  if (isLow(before, before.length - suffix) || isLow(after, after.length - suffix)) suffix--;
  let prefix = 0;
  while (prefix < most - suffix && before.charCodeAt(prefix) === after.charCodeAt(prefix)) prefix++;
  if (isHigh(before, prefix - 1) || isHigh(after, prefix - 1)) prefix--;
  const content = after.slice(prefix, after.length - suffix);
  const length = lengthOf(before.slice(prefix, before.length - suffix));
  if (content === "" && length === 0) return [];
  return toOperation({
    operation: "replace",
    position: toPosition(before, prefix),
    length,
    content,
  });
}

const isHigh = (text: string, index: number) => (text.charCodeAt(index) & 0xfc00) === 0xd800;
const isLow = (text: string, index: number) => (text.charCodeAt(index) & 0xfc00) === 0xdc00;

/**
 * Normalizes text as every editor and the server do: line ends \n, no U+0000, no lone surrogates.
 */
export const clean = (text: string): string =>
  text.replace(/\r\n?/g, "\n").replaceAll("\0", "").toWellFormed();
