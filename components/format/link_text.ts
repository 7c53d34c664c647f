/** Links in texts of people. What finds them is loaded with the first text that may have one. */
import { signal } from "@preact/signals";
import type { TextPart } from "../../client/link_finder.ts";

/** Every address has one of them before a letter or a digit. */
const MAY_HAVE_LINK = /[.@:/][^\s]/;

const finder = signal<((text: string) => TextPart[]) | null>(null);
let loading: Promise<void> | null = null;

function load(): void {
  loading ??= import("../../client/link_finder.ts").then(
    ({ linkify }) => void (finder.value = linkify),
    // Without a connection; the next text tries it again.
    () => void (loading = null),
  );
}

/** The text in parts, links among them; one part until the finder is there. Joined they are the text. */
export function linkify(text: string): TextPart[] {
  const find = finder.value;
  if (find !== null) return find(text);
  // A page that the server rendered has to be what the browser renders first.
  if (typeof document !== "undefined" && MAY_HAVE_LINK.test(text)) load();
  return [{ text }];
}
