/** Where a link of a message may lead. */

const SCHEMES: ReadonlySet<string> = new Set(["http:", "https:", "mailto:"]);
/** A label that looks like an address itself. */
const ADDRESS = /^\s*(?:https?:\/\/|www\.)?((?:[\p{L}\p{N}-]+\.)+\p{L}{2,})(?:[:/?#]\S*)?\s*$/iu;

/** The address as a browser resolves it; null where it is not http, https or mailto, or not complete. */
export function safeHref(href: string): string | null {
  const url = URL.parse(href);
  if (url === null || !SCHEMES.has(url.protocol)) return null;
  if (url.protocol === "mailto:") {
    // Without parameters that would set a subject, a copy or a text.
    return /^[^@\s]+@[^@\s]+$/.test(url.pathname) ? `mailto:${url.pathname}` : null;
  }
  return url.hostname === "" ? null : url.href;
}

/** Whether the label of a link promises a host that the link does not lead to. */
export function showsAnotherAddress(label: string, href: string): boolean {
  const shown = ADDRESS.exec(label)?.[1];
  if (shown === undefined) return false;
  const bare = (host: string | undefined) => host?.replace(/^www\./, "");
  return bare(URL.parse(`http://${shown}`)?.hostname) !== bare(URL.parse(href)?.hostname);
}
