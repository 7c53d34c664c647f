/**
 * Fresh gives `_app` nothing but the page, so the page says which theme the document has. This is
 * safe in a server: a page and the document around it are rendered in one synchronous go.
 */
import { type Theme, themeOf } from "../lib/preferences.ts";

let current: Theme = "system";

/** To be called while a page is rendered. */
export function useDocumentTheme(request: Request) {
  current = themeOf(request.headers.get("cookie"));
}

/** The theme of the document that is being rendered now; "system" for pages that said nothing. */
export function takeDocumentTheme(): Theme {
  const theme = current;
  current = "system";
  return theme;
}
