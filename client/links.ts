/**
 * Links in what people wrote, for the dashboard and the widget alike. Not part of `mod.ts`, because
 * it alone needs `linkify-it`. linkifyjs does the same in twice the size, which would exceed the
 * widget's budget.
 */
import { LinkifyIt, REBuilder } from "linkify-it";

export interface TextPart {
  text: string;
  /** The link as a browser follows it. */
  href?: string;
  /** Where it leads, where that does not show: of a host with letters that look like others. */
  title?: string;
}

class Rules extends REBuilder {
  /** Beside the library's own: what no address holds unescaped, and what nobody sees. */
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
 * Cuts plain text into words and links: web addresses, also without "https://" where they begin
 * with "www.", and e-mail addresses. The parts' texts together are the text exactly as it was.
 */
export function linkify(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const { index, raw, schema } of finder.match(text) ?? []) {
    // Marks of emphasis around a link are none of it.
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

/** Without what would be a subject, a copy or a text. */
function mailHref(link: string): string {
  const address = link.replace(/^mailto:/i, "");
  const at = address.lastIndexOf("@");
  return `mailto:${encodeURIComponent(address.slice(0, at))}${address.slice(at)}`;
}

/** The link as the browser would follow it, or null when it is not a complete http(s) URL. */
export function webHref(link: string): string | null {
  try {
    const url = new URL(link);
    const web = url.protocol === "http:" || url.protocol === "https:";
    return web && url.hostname !== "" ? url.href : null;
  } catch {
    return null;
  }
}
