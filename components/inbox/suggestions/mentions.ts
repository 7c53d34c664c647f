import { replaceTrigger, type Trigger } from "../triggers.ts";

const plain = (text: string) => text.normalize("NFC").toLowerCase();

/** People whose name, or a part of it, begins with the text, except a name that is complete. */
export function candidates<T extends { name: string }>(
  people: readonly T[],
  query: Pick<Trigger, "text">,
  limit: number,
): T[] {
  const written = plain(query.text);
  return people.filter(({ name }) => {
    const whole = plain(name);
    if (written.trimEnd() === whole) return false;
    return whole.startsWith(written) ||
      whole.split(/\s+/).some((part) => part.startsWith(written));
  }).slice(0, limit);
}

/** The text with the name in place of what was written, and the caret after it. */
export function withMention(
  text: string,
  trigger: Trigger,
  name: string,
): { text: string; caret: number } {
  const next = replaceTrigger(text, trigger, `@${name} `);
  const after = next.text.slice(next.caret).replace(/^ /, "");
  return { ...next, text: next.text.slice(0, next.caret) + after };
}
