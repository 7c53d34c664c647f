import type { ComponentChildren } from "preact";
import { Globe } from "lucide-preact";
import { webHref } from "../../client/links.ts";

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt dir="auto">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The visitor's browser reports the page, so it is a link only if it is a web address. */
export function PageLink({ url, title }: { url: string; title?: string | undefined }) {
  const href = webHref(url);
  const text = title || url;
  if (href === null) return <span title={url} dir="auto">{text}</span>;
  const { host, pathname } = new URL(href);
  return (
    <a href={href} title={href} target="_blank" rel="noopener noreferrer nofollow">
      <Globe size={14} aria-hidden="true" />
      <span>
        {title && <span class="page-title" dir="auto">{title}</span>}
        <span class="page-path">{host}{pathname}</span>
      </span>
    </a>
  );
}
