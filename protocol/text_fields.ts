/** Schemas of what people type into one field: names and e-mail addresses. */
import { z } from "zod";
import { cleanName, isVisible, NOTHING_VISIBLE } from "./visible_text.ts";

/** An empty text has an error of its own. */
export const visibleOrEmpty = [
  (text: string) => text.trim() === "" || isVisible(text),
  NOTHING_VISIBLE,
] as const;

/** A name, label or title of 1 to `max` characters, which people can see. */
export const nameOf = (max: number) =>
  z.string().overwrite(cleanName).min(1).max(max).refine(...visibleOrEmpty);

const LOCAL_PART =
  /^[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+)*$/u;
const DOMAIN =
  /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}\u200c\u200d-]*[\p{L}\p{N}\p{M}])?\.)+[\p{L}\p{M}]{2,}$|^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+xn--[a-z0-9-]+$/u;

/** Whether it is an e-mail address, also with other letters than a to z (RFC 6531). */
export function isEmail(text: string): boolean {
  const at = text.lastIndexOf("@");
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || new TextEncoder().encode(local).length > 64) return false;
  return LOCAL_PART.test(local) && DOMAIN.test(domain) && isDomainName(domain);
}

/** Whether DNS could have it: each label has at most 63 characters, as it is encoded there. */
function isDomainName(domain: string): boolean {
  try {
    const { hostname } = new URL(`http://${domain}`);
    return hostname.length <= 253 && hostname.split(".").every((label) => label.length <= 63);
  } catch {
    return false;
  }
}

/** The form in which addresses are compared: two spellings of a letter are the same. */
const canonical = (text: string) => text.trim().normalize("NFC").toLowerCase();

export const EmailText = z.string().overwrite(canonical).max(254);
export const Email = EmailText.refine(isEmail, "must be an e-mail address");
