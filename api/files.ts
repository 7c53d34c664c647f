/** Files: uploaded, and given by signed addresses. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { isShown } from "../domain/files/media_type.ts";
import type { OpenFile } from "../domain/files/types.ts";
import { ParleyError } from "../protocol/errors.ts";
import { FileAddresses, FileAddressesBody, UploadQuery } from "../protocol/files.ts";
import { Id, MessageFile } from "../protocol/model.ts";
import { type Api, createApi, type Env } from "./env.ts";
import { body, problem, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

/** The path whose body is a file, and not JSON. */
export const UPLOAD_PATH = "/api/files";

const tags = ["files"];

export function fileRoutes({ files }: ApiServices): Api {
  const app = createApi();

  app.openapi(
    createRoute({
      method: "post",
      path: UPLOAD_PATH,
      tags,
      summary: "Upload a file, which a message can have then; the body is the file",
      request: {
        query: UploadQuery,
        body: {
          required: true,
          content: {
            "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) },
          },
        },
      },
      responses: {
        ...responses(200, "It was uploaded before", MessageFile),
        ...responses(201, "It is stored", MessageFile),
      },
    }),
    async (c) => {
      const declaredSize = Number(c.req.header("content-length") ?? "");
      const { file, duplicate } = await files.upload(c.get("principal"), {
        ...c.req.valid("query"),
        declaredType: c.req.header("content-type"),
        declaredSize: Number.isSafeInteger(declaredSize) ? declaredSize : undefined,
        body: c.req.raw.body,
      });
      return duplicate ? c.json(file, 200) : c.json(file, 201);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/files/addresses",
      tags,
      summary: "Addresses of files, which work for a while without credentials",
      request: body(FileAddressesBody),
      responses: responses(200, "Of those that the caller may see", FileAddresses),
    }),
    async (c) => {
      const { ids } = c.req.valid("json");
      return c.json({ items: await files.addresses(c.get("principal"), ids) }, 200);
    },
  );
  return app;
}

/** Nothing in a file runs, whatever it is: it has an origin of its own and may load nothing. */
const POLICY = "sandbox; default-src 'none'";

/** `/files/{id}/{name}`, which browsers ask for without credentials. */
export function fileContentRoute(app: Api, { files }: ApiServices): void {
  app.get("/files/:id/:name", async (c) => {
    const id = Id.safeParse(c.req.param("id"));
    if (!id.success) throw new ParleyError("not_found", `Cannot find "${c.req.path}"`);
    const { e: expires = "", s: signature = "", download } = c.req.query();
    const file = await files.open(id.data, { expires, signature });
    return await respond(c, file, download !== undefined);
  });
  app.openAPIRegistry.registerPath({
    method: "get",
    path: "/files/{id}/{name}",
    tags,
    summary: "A file, by its signed address",
    security: [],
    request: {
      params: z.object({ id: Id, name: z.string() }),
      query: z.object({
        e: z.string(),
        s: z.string(),
        download: z.string().optional().openapi({
          description: "To save it instead of showing it",
        }),
      }),
    },
    responses: {
      200: { description: "The file" },
      206: { description: "A part of it, as the header Range asks" },
      403: { description: "The address is not valid, or over" },
      default: problem,
    },
  });
}

async function respond(c: Context<Env>, file: OpenFile, download: boolean): Promise<Response> {
  const { id, name, mediaType, size, expiresAt } = file;
  const shown = isShown(mediaType);
  const etag = `"${id}"`;
  const seconds = Math.max(0, Math.floor((expiresAt - Date.now()) / 1000));
  const headers: Record<string, string> = {
    "content-type": shown ? mediaType : "application/octet-stream",
    "content-disposition": disposition(shown && !download ? "inline" : "attachment", name),
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "cross-origin",
    "referrer-policy": "no-referrer",
    "cache-control": `private, max-age=${seconds}, immutable`,
    "accept-ranges": "bytes",
    etag,
  };
  if (c.req.header("if-none-match") === etag) return new Response(null, { status: 304, headers });
  const range = readRange(c.req.header("range"), size);
  if (range === "unsatisfiable") {
    return new Response(null, {
      status: 416,
      headers: { ...headers, "content-range": `bytes */${size}` },
    });
  }
  headers["content-length"] = String(range === null ? size : range.to - range.from + 1);
  if (range !== null) headers["content-range"] = `bytes ${range.from}-${range.to}/${size}`;
  const status = range === null ? 200 : 206;
  if (c.req.method === "HEAD") return new Response(null, { status, headers });
  const content = await file.read(range ?? undefined);
  if (content === null) throw new ParleyError("not_found", `Cannot find the file "${id}"`);
  return new Response(content, { status, headers });
}

/** By RFC 6266: the name for old programs in ASCII, and the whole one. */
function disposition(kind: "inline" | "attachment", name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const whole = encodeURIComponent(name).replace(/['()*]/g, percent);
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${whole}`;
}

const percent = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

/** One range of bytes; null for the whole file, also where several are asked for. */
export function readRange(
  header: string | undefined,
  size: number,
): { from: number; to: number } | "unsatisfiable" | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return null;
  const [, first, last] = match as unknown as [string, string, string];
  if (first === "") {
    const count = Math.min(size, Number(last));
    return count === 0 ? "unsatisfiable" : { from: size - count, to: size - 1 };
  }
  const from = Number(first);
  const to = last === "" ? size - 1 : Math.min(size - 1, Number(last));
  if (from >= size) return "unsatisfiable";
  return to < from ? null : { from, to };
}
