/** Makes a text area as high as its text, where the browser does not; the style sheet sets the bounds. */
export function grow(box: HTMLTextAreaElement | null) {
  if (box === null || CSS.supports("field-sizing", "content")) return;
  box.style.blockSize = "auto";
  box.style.blockSize = `${box.scrollHeight}px`;
}
