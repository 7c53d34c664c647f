/** Makes a text area as high as its text, where CSS cannot; the style sheet sets the bounds. */
export function autosize(box: HTMLTextAreaElement | null) {
  if (box === null || CSS.supports("field-sizing", "content")) return;
  box.style.blockSize = "auto";
  box.style.blockSize = `${box.scrollHeight}px`;
}
