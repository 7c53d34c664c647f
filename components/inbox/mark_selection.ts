/** The Markdown that a key sets around the selected text. */
const MARKS: Readonly<Record<string, string>> = { b: "**", i: "*" };

/** Ctrl+B and Ctrl+I, or with Cmd: marks what is selected, or takes the marks away. */
export function markSelection(event: KeyboardEvent): boolean {
  const mark = MARKS[event.key.toLowerCase()];
  if (mark === undefined || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) {
    return false;
  }
  event.preventDefault();
  const box = event.currentTarget as HTMLTextAreaElement;
  const { selectionStart: start, selectionEnd: end, value } = box;
  const selected = value.slice(start, end);
  const size = mark.length;
  const isMarked = value.slice(start - size, start) === mark && value.startsWith(mark, end) &&
    // The inner marks of "**" are not those of italic text.
    (mark !== "*" || value[start - 2] !== "*" || value[start - 3] === "*");
  if (isMarked) box.setSelectionRange(start - size, end + size);
  // Unlike setRangeText it can be undone with Ctrl+Z.
  document.execCommand("insertText", false, isMarked ? selected : mark + selected + mark);
  const from = isMarked ? start - size : start + size;
  box.setSelectionRange(from, from + selected.length);
  return true;
}
