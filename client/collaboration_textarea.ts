import {
  compose,
  movePosition,
  type TextOperation,
  toIndex,
  toPosition,
  transform,
} from "../protocol/text.ts";
import type { CollaborationDocument } from "./collaboration_document.ts";
import { clean, difference } from "./collaboration_text.ts";

/**
 * Binds a textarea to a document. The selection keeps its position in the text while others write;
 * during IME composition their edits wait. The browser's own undo does not survive the edits of
 * others.
 *
 * @returns a function that removes the binding; the document stays open
 */
export function bindTextarea(
  element: HTMLTextAreaElement,
  document: CollaborationDocument,
): () => void {
  /** The text of the element, as far as the document knows it. */
  let shown = "";
  /** Changes by others, and by the program, during IME composition. */
  let held: TextOperation | null = null;
  /** The current change comes from the element, which shows it already. */
  let isOwn = false;

  function show(operation: TextOperation): void {
    const { selectionStart, selectionEnd, selectionDirection, scrollTop } = element;
    const [start, end] = [selectionStart, selectionEnd].map((index) =>
      movePosition(toPosition(shown, index), operation)
    ) as [number, number];
    shown = document.text;
    element.value = shown;
    element.setSelectionRange(toIndex(shown, start), toIndex(shown, end), selectionDirection);
    element.scrollTop = scrollTop;
  }

  function onChange({ operation }: { operation: TextOperation }): void {
    if (isOwn) return;
    if (held !== null) held = compose(held, operation);
    else show(operation);
  }

  function onInput(): void {
    if (held !== null) return;
    const { value, selectionEnd } = element;
    // The element does not have the other people's edits yet, so this one is transformed against
    // them.
    const operation = difference(shown, clean(value), selectionEnd);
    take(operation, []);
  }

  function take(operation: TextOperation, others: TextOperation): void {
    if (document.canEdit) {
      isOwn = true;
      document.write(transform(operation, others, "right"));
      isOwn = false;
    }
    const isSame = others.length === 0 && document.text === element.value;
    shown = element.value;
    if (isSame) onSelect();
    else show(difference(shown, document.text));
  }

  function onCompositionEnd(): void {
    const others = held ?? [];
    held = null;
    take(difference(shown, clean(element.value), element.selectionEnd), others);
  }

  function onSelect(): void {
    if (held !== null || element.ownerDocument.activeElement !== element) return;
    const { selectionStart, selectionEnd, selectionDirection } = element;
    const [head, anchor] = selectionDirection === "backward"
      ? [selectionStart, selectionEnd]
      : [selectionEnd, selectionStart];
    document.setCursor(toPosition(shown, head), toPosition(shown, anchor));
  }

  const onStatus = () => void (element.readOnly = !document.canEdit);
  const onCompositionStart = () => void (held = []);
  const onBlur = () => document.setCursor(null);
  const page = element.ownerDocument;
  const ends = [document.on("change", onChange), document.on("status", onStatus)];
  element.addEventListener("input", onInput);
  element.addEventListener("compositionstart", onCompositionStart);
  element.addEventListener("compositionend", onCompositionEnd);
  element.addEventListener("focus", onSelect);
  element.addEventListener("blur", onBlur);
  page.addEventListener("selectionchange", onSelect);
  shown = document.text;
  element.value = shown;
  onStatus();

  return () => {
    for (const end of ends) end();
    element.removeEventListener("input", onInput);
    element.removeEventListener("compositionstart", onCompositionStart);
    element.removeEventListener("compositionend", onCompositionEnd);
    element.removeEventListener("focus", onSelect);
    element.removeEventListener("blur", onBlur);
    page.removeEventListener("selectionchange", onSelect);
  };
}
