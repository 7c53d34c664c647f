/** A file that never changes while the process runs, in each coding that was prepared for it. */
import { acceptedCoding, type Coding, isKnown } from "./content_coding.ts";

export interface BuiltFile {
  body: Uint8Array<ArrayBuffer>;
  /** Compressed bodies; without an entry the file is served as it is. */
  coded: Partial<Record<Coding, Uint8Array<ArrayBuffer>>>;
  headers: Record<string, string>;
  /** Of `body`. Each coding has a tag of its own, because its bytes are others. */
  etag: string;
}

/** Responds to GET and HEAD. Ranges are not served: every response has the whole file. */
export function serveFile(request: Request, file: BuiltFile): Response {
  const offered = Object.keys(file.coded) as Coding[];
  const coding = acceptedCoding(request, offered);
  const etag = coding === null ? file.etag : file.etag.replace(/"$/, `-${coding}"`);
  const headers = new Headers({ ...file.headers, etag });
  if (offered.length > 0) headers.append("vary", "Accept-Encoding");
  if (isKnown(request, etag)) return new Response(null, { status: 304, headers });
  if (coding !== null) headers.set("content-encoding", coding);
  const body = coding === null ? file.body : file.coded[coding]!;
  headers.set("content-length", String(body.byteLength));
  return new Response(request.method === "HEAD" ? null : body, { headers });
}
