import type { AttributeValue, Provenance } from "../../protocol/contacts.ts";
import { isolate } from "../../protocol/visible_text.ts";

/** Who set a value, in a few words: "Set by Ada", "From the visitor, not verified". */
export function provenanceWords({ source, by }: Pick<Provenance, "source" | "by">): string {
  switch (source) {
    case "agent":
      return by === null ? "Set by an agent" : `Set by ${isolate(by)}`;
    case "token":
      return "From the website, verified";
    case "visitor":
      return "From the visitor, not verified";
  }
}

export function valueWords(value: AttributeValue): string {
  if (typeof value === "boolean") return value ? "Yes" : "No";
  return String(value);
}

/** What somebody typed, as the value that they mean: a number, true or false, or text. */
export function valueOf(text: string): AttributeValue {
  const trimmed = text.trim();
  if (/^(true|yes)$/i.test(trimmed)) return true;
  if (/^(false|no)$/i.test(trimmed)) return false;
  // "007" and "+49 30 1234" are no numbers but text that has digits.
  const isNumber = /^-?(0|[1-9]\d{0,14})(\.\d{1,10})?$/.test(trimmed);
  return isNumber ? Number(trimmed) : trimmed;
}

const IDENTITY_WORDS: Record<string, string> = { token: "ID on your website", context: "Context" };

export function identityWord(platform: string): string {
  return IDENTITY_WORDS[platform] ?? platform;
}

/** "German (Austria)" for "de-AT"; what is no language as it is. */
export function languageWords(tag: string): string {
  try {
    return new Intl.DisplayNames("en", { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
