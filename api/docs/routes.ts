import type { Api } from "../env.ts";
import { isKnown } from "../content_coding.ts";
import { digestTag } from "../etag.ts";
import { docsPage, type Document } from "./page.ts";
import { DOCS_CSS } from "./style.css.ts";

/** No script at all: the page has none, and what might come to be in it does not run. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** `/api/docs` and `/api/openapi.json`, made from the document that `readDocument` gives once all routes are there. */
export function docsRoutes(app: Api, readDocument: () => unknown): void {
  let page: Promise<File> | undefined;
  let style: Promise<File> | undefined;
  let document: Promise<File> | undefined;
  app.get("/api/docs", async (c) => {
    page ??= fileOf(docsPage(readDocument() as Document), "text/html; charset=utf-8");
    return answer(c.req.raw, await page, { "content-security-policy": POLICY });
  });
  // Made once: it takes the event loop some 40 ms, and anybody may ask for it.
  app.get("/api/openapi.json", async (c) => {
    document ??= fileOf(JSON.stringify(readDocument()), "application/json");
    return answer(c.req.raw, await document);
  });
  app.get("/api/docs/", (c) => c.redirect("/api/docs", 308));
  app.get("/api/docs/style.css", async (c) => {
    style ??= fileOf(DOCS_CSS, "text/css; charset=utf-8");
    return answer(c.req.raw, await style);
  });
}

interface File {
  text: string;
  type: string;
  etag: string;
}

async function fileOf(text: string, type: string): Promise<File> {
  return { text, type, etag: await digestTag(new TextEncoder().encode(text)) };
}

function answer(request: Request, file: File, extra: Record<string, string> = {}): Response {
  const headers = {
    "content-type": file.type,
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    etag: file.etag,
    ...extra,
  };
  if (isKnown(request, file.etag)) return new Response(null, { status: 304, headers });
  return new Response(file.text, { headers });
}
