/**
 * The path to go to after signing in, from `?next=`. Only paths of this site are accepted; another
 * origin, `//host`, `/\host` and control characters become "/".
 */
export function safeNext(next: string | null | undefined): string {
  if (!next || !next.startsWith("/")) return "/";
  // deno-lint-ignore no-control-regex -- browsers drop these before they look at the slashes
  if (/[\x00-\x1f\x7f\\]/.test(next)) return "/";
  const base = "http://parley.invalid";
  let url: URL;
  try {
    url = new URL(next, base);
  } catch {
    return "/";
  }
  if (url.origin !== base || url.pathname.startsWith("//")) return "/";
  if (url.pathname === "/login" || url.pathname === "/setup") return "/";
  return url.pathname + url.search + url.hash;
}

/** `/login`, or `/login?next=…` where there is a page to return to. */
export function loginPath(path: string): string {
  const next = safeNext(path);
  return next === "/" ? "/login" : `/login?next=${encodeURIComponent(next)}`;
}
