/** Switches the open composer to a reply (R) or a note (N), and puts the caret into it. */
export function compose(mode: "R" | "N") {
  document.querySelector<HTMLElement>(`.composer [aria-keyshortcuts="${mode}"]`)?.click();
}
