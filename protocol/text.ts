/**
 * Edits of a shared text and their operational transformation: the same functions on the server and
 * in the SDK, because both have to get the same text. Positions and lengths count Unicode code
 * points.
 */
import { type as ot } from "ot-text-unicode";
import { lengthOf, toIndex, toPosition } from "./text_positions.ts";

/** Skips (a number), insertions (a string) and deletions, from the start of the text. */
export type TextOperation = (number | string | { d: number | string })[];

export type TextEdit =
  | { operation: "insert"; position: number; content: string }
  | { operation: "delete"; position: number; length: number }
  | { operation: "replace"; position: number; length: number; content: string };

/** A function that the types of the package leave out. */
const invertible = ot as unknown as {
  invertWithDoc(operation: TextOperation, text: string): TextOperation;
};

/** Of two insertions at the same position, the one that the server had first is on the left. */
type Side = "left" | "right";

export { lengthOf, toIndex, toPosition };

export const insertedBy = (edit: TextEdit): string => "content" in edit ? edit.content : "";
export const removedBy = (edit: TextEdit): number => "length" in edit ? edit.length : 0;

export function toOperation(edit: TextEdit): TextOperation {
  const operation: TextOperation = [edit.position];
  if (insertedBy(edit) !== "") operation.push(insertedBy(edit));
  if (removedBy(edit) > 0) operation.push({ d: removedBy(edit) });
  return ot.normalize(operation);
}

/** Several edits, each of the text after the one before, as one operation. */
export function composeAll(edits: readonly TextEdit[]): TextOperation {
  return edits.map(toOperation).reduce(compose, []);
}

/** The same change as several edits, each of the text after the one before. */
export function toEdits(operation: TextOperation): TextEdit[] {
  const edits: TextEdit[] = [];
  let position = 0;
  let content = "";
  let length = 0;
  const end = () => {
    if (content !== "" && length > 0) {
      edits.push({ operation: "replace", position, length, content });
    } else if (content !== "") edits.push({ operation: "insert", position, content });
    else if (length > 0) edits.push({ operation: "delete", position, length });
    position += lengthOf(content);
    content = "";
    length = 0;
  };
  for (const part of operation) {
    if (typeof part === "string") content += part;
    else if (typeof part === "object") {
      length += typeof part.d === "number" ? part.d : lengthOf(part.d);
    } else {
      end();
      position += part;
    }
  }
  end();
  return edits;
}

export function applyEdit(text: string, edit: TextEdit): string {
  const { start, end } = rangeOf(text, edit);
  return text.slice(0, start) + insertedBy(edit) + text.slice(end);
}

/** The range that an edit removes, in UTF-16 code units. */
export function rangeOf(text: string, edit: TextEdit): { start: number; end: number } {
  const start = toIndex(text, edit.position);
  const length = removedBy(edit);
  return { start, end: start + toIndex(text.slice(start, start + 2 * length), length) };
}

export const applyOperation = (text: string, operation: TextOperation): string =>
  ot.apply(text, operation);

/** Two consecutive operations as one. */
export const compose = (first: TextOperation, second: TextOperation): TextOperation =>
  ot.compose(first, second);

/** The operation that undoes an operation of `text`. */
export const inverseOf = (operation: TextOperation, text: string): TextOperation =>
  invertible.invertWithDoc(operation, text);

/**
 * Transforms an operation to follow another one of the same text. `left`: the server had it first.
 */
export const transform = (
  operation: TextOperation,
  other: TextOperation,
  side: Side,
): TextOperation => ot.transform(operation, other, side);

/** The position after an operation. */
export const movePosition = (position: number, operation: TextOperation): number =>
  ot.transformPosition(position, operation);
