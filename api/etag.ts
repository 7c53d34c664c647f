import { z } from "@hono/zod-openapi";
import type { Context, Next } from "hono";
import { ParleyError } from "../protocol/errors.ts";
import { etagOf } from "../protocol/etag.ts";
import { addVary, isKnown, tagsOf } from "./content_coding.ts";

/** Routes that are read often and seldom change. */
export const CONDITIONAL = [
  "/api/canned-responses/*",
  "/api/channels/*",
  "/api/context-rules/*",
  "/api/labels/*",
  "/api/users/*",
  "/api/widget-configs/*",
] as const;

/**
 * Adds an ETag to responses, and responds with 304 where the client has the same. `cacheControl`
 * replaces what the API sets for all responses.
 */
export function conditional(cacheControl?: string) {
  return async (c: Context, next: Next): Promise<void> => {
    await next();
    if (c.req.method !== "GET" || c.res.status !== 200) return;
    const etag = c.res.headers.get("etag") ?? await digestTag(await c.res.clone().arrayBuffer());
    const headers = new Headers(c.res.headers);
    headers.set("etag", etag);
    if (cacheControl !== undefined) headers.set("cache-control", cacheControl);
    addVary(headers, "Authorization");
    const known = isKnown(c.req.raw, etag);
    if (known) headers.delete("content-type");
    const response = new Response(known ? null : c.res.body, {
      status: known ? 304 : 200,
      headers,
    });
    // Otherwise the framework copies the old response's headers.
    c.res = undefined;
    c.res = response;
  };
}

/** An ETag from the digest of the bytes of a response. */
export async function digestTag(bytes: BufferSource): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return `"${new Uint8Array(digest, 0, 12).toBase64({ alphabet: "base64url" })}"`;
}

/** The header of a change that applies to one version only. */
export const IfMatch = z.object({ "if-match": z.string().max(200).optional() });

/**
 * Refuses a change of something that somebody else has changed meanwhile: If-Match has the version
 * that the caller has seen. Without the header every change is accepted.
 *
 * @throws {ParleyError} `precondition_failed`
 */
export function requireMatch(
  c: Context,
  what: string,
  current: { id: string; updatedAt: string },
): void {
  const header = c.req.header("if-match");
  if (header === undefined || header.trim() === "*") return;
  if (tagsOf(header).includes(etagOf(current))) return;
  throw new ParleyError(
    "precondition_failed",
    `Cannot change the ${what} "${current.id}": it was changed at ${current.updatedAt}`,
  );
}
