/**
 * Finds links in text, for the dashboard and the widget. Not part of `mod.ts`, because it alone needs
 * `linkify-it`. linkifyjs is twice as large and would exceed the widget's budget.
 */
import { LinkifyIt, REBuilder } from "linkify-it";
import { mailHref, webHref } from "./links.ts";

export interface TextPart {
  text: string;
  /** The link as a browser resolves it. */
  href?: string;
  /**
   * The address of a link whose text does not show it: a host with letters that look like others.
   */
  title?: string;
}

class Rules extends REBuilder {
  /**
   * Adds to the library's separators: characters that no address contains unescaped, and invisible
   * ones.
   */
  override get_text_separators(): RegExp {
    return this.cache["text_separators"] ??=
      /[><\uff5c`|\\^\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;
  }

  /** Chinese and Japanese have no space before a link. */
  override get_schema_search(): RegExp {
    return this.cache["schema_search"] ??= new RegExp(
      `()(?<![a-z0-9])(${this.get_schema_names().source})`,
      "ig",
    );
  }
}

const finder = new LinkifyIt({ urlAuth: true, rebuilder: new Rules() })
  .add("ftp:").add("//")
  .add("www.", {
    validate(text, position, { re }) {
      if (/[.@/-]/.test(text[position - "www.".length - 1] ?? "")) return 0;
      const rest = re.get_relative_proto_validator();
      rest.lastIndex = position;
      return rest.exec(text)?.[0].length ?? 0;
    },
  });

/**
 * Splits plain text into text and links: web addresses, also without "https://" where they begin
 * with "www.", and e-mail addresses. Joined, the parts are exactly the text.
 */
export function linkify(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const { index, raw, schema } of finder.match(text) ?? []) {
    // Emphasis marks around a link do not belong to it.
    const link = raw.replace(/[*_~]+$/, "");
    const href = schema === "mailto:" ? mailHref(link) : webHref(
      schema === "www." ? `http://${link}` : link,
    );
    if (href === null) continue;
    if (index > end) parts.push({ text: text.slice(end, index) });
    parts.push({ text: link, href, ...(/[/.@]xn--/.test(href) ? { title: href } : {}) });
    end = index + link.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}
