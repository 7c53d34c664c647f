/**
 * Fresh passes nothing but the page to `_app`, so the page stores the theme of its document here.
 * This is safe on a server, because a page and its document are rendered synchronously.
 */
import { type Theme, themeOf } from "../storage/preferences.ts";

let current: Theme = "system";

/** Call it while a page is rendered. */
export function useDocumentTheme(request: Request) {
  current = themeOf(request.headers.get("cookie"));
}

/** The theme of the document that is being rendered; "system" where the page stored none. */
export function takeDocumentTheme(): Theme {
  const theme = current;
  current = "system";
  return theme;
}
