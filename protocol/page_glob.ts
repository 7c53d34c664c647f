/**
 * Whether the address is one of the globs, in which `*` stands for any characters. A glob may leave
 * out the scheme, or begin with the path, and an address may go on with a query, a fragment or a
 * slash at its end. Upper and lower case are the same.
 */
export function matchesPage(globs: readonly string[], url: string): boolean {
  const address = url.toLowerCase();
  return globs.some((glob) => {
    const pattern = withoutSlash(glob.trim().toLowerCase());
    const whole = pattern.startsWith("/")
      ? address.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/, "").replace(/^(?!\/)/, "/")
      : pattern.includes("://") || pattern.startsWith("*")
      ? address
      : address.replace(/^[a-z][a-z0-9+.-]*:\/\//, "");
    const forms = [whole, whole.replace(/#.*$/s, ""), whole.replace(/[?#].*$/s, "")];
    return forms.some((form) => fitsGlob(pattern, form) || fitsGlob(pattern, withoutSlash(form)));
  });
}

/** "/" alone is the start page and stays. */
function withoutSlash(text: string): string {
  return text.length > 1 && text.endsWith("/") ? text.slice(0, -1) : text;
}

/** In time that grows with the product of the lengths at most: no pattern makes it stand still. */
function fitsGlob(glob: string, text: string): boolean {
  let at = 0;
  let inGlob = 0;
  let star = -1;
  let from = 0;
  while (at < text.length) {
    if (inGlob < glob.length && glob[inGlob] === "*") {
      star = inGlob++;
      from = at;
    } else if (inGlob < glob.length && glob[inGlob] === text[at]) {
      inGlob++;
      at++;
    } else if (star >= 0) {
      inGlob = star + 1;
      at = ++from;
    } else return false;
  }
  while (glob[inGlob] === "*") inGlob++;
  return inGlob === glob.length;
}
