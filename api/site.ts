/** The site: the dashboard's pages and files, and the widget's files. */
import { extname } from "node:path";
import { type BuiltFile, serveFile } from "./built_file.ts";

export interface SiteOptions {
  /** Built dashboard: `public/` below it and the renderer in `server/_ssr/ssr.mjs`. */
  dashboardDir: string;
  /** Built widget: `widget.js` and `widget/`. */
  widgetDir: string;
  /** Pages reload themselves when another process has replaced this one. */
  reload?: boolean;
}

const TYPES: Record<string, string> = {
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml; charset=utf-8",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2",
};

const IMMUTABLE = "public, max-age=31536000, immutable";

export interface Site {
  (request: Request): Promise<Response>;
}

export interface BuiltSite extends Site {
  /** The response with a built file, which needs nothing else of the server; null: there is none. */
  file(request: Request, path: string): Response | null;
}

interface Renderer {
  default: { fetch(request: Request): Promise<Response> | Response };
}

/** Reads all built files at the start: they are few and small, and no path can leave the folder. */
export async function createSite(options: SiteOptions): Promise<BuiltSite> {
  const files = new Map<string, BuiltFile>();
  await readTree(
    files,
    `${options.dashboardDir}/public`,
    "",
    (path) => path.startsWith("/assets/") ? IMMUTABLE : "public, max-age=3600",
  );
  await readTree(
    files,
    options.widgetDir,
    "",
    (path) => path === "/widget.js" ? "public, max-age=300" : IMMUTABLE,
  );
  for (const [path, file] of files) {
    // Websites of all origins may load the widget, and nothing else.
    if (path === "/widget.js" || path.startsWith("/widget/")) {
      file.headers["access-control-allow-origin"] = "*";
      file.headers["cross-origin-resource-policy"] = "cross-origin";
    }
  }
  if (options.reload === true) files.set(RELOAD_PATH, reloadScript());
  const url = new URL(`file://${await Deno.realPath(options.dashboardDir)}/server/_ssr/ssr.mjs`);
  const renderer = await import(url.href) as Renderer;

  const build = await buildOf(files.keys());

  function file(request: Request, path: string): Response | null {
    const found = files.get(path);
    return found === undefined ? null : serveFile(request, found);
  }
  return Object.assign(async (request: Request) => {
    const built = file(request, new URL(request.url).pathname);
    if (built !== null) return built;
    const response = await renderer.default.fetch(request);
    return await secure(response, build, options.reload === true);
  }, { file });
}

/** Assets have the hash of their content in their names, so the names identify a build. */
async function buildOf(paths: Iterable<string>): Promise<string> {
  const assets = [...paths].filter((path) => path.startsWith("/assets/")).sort().join();
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(assets));
  return new Uint8Array(digest, 0, 8).toHex();
}

const RELOAD_PATH = "/dev-reload.js";

/** Polls whether the script has changed, as it does with a new process. */
function reloadScript(): BuiltFile {
  const etag = `"${crypto.randomUUID()}"`;
  const source = `const etag = ${JSON.stringify(etag)};
setInterval(async () => {
  const answer = await fetch("${RELOAD_PATH}", { method: "HEAD" }).catch(() => null);
  const now = answer?.headers.get("etag");
  if (now && now !== etag) location.reload();
}, 700);
`;
  return {
    body: new TextEncoder().encode(source),
    coded: {},
    etag,
    headers: { "content-type": TYPES[".js"]!, "cache-control": "no-store" },
  };
}

async function readTree(
  files: Map<string, BuiltFile>,
  root: string,
  below: string,
  cacheControl: (path: string) => string,
): Promise<void> {
  for await (const entry of Deno.readDir(`${root}${below}`)) {
    // Dot files belong to the build.
    if (entry.name.startsWith(".")) continue;
    const path = `${below}/${entry.name}`;
    if (entry.isDirectory) await readTree(files, root, path, cacheControl);
    if (!entry.isFile) continue;
    // What the build compressed belongs to the file beside it.
    if (/\.(?:br|gz)$/.test(path)) continue;
    const body = await Deno.readFile(`${root}${path}`);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
    const [br, gzip] = await Promise.all(
      ["br", "gz"].map((ending) => readIfPresent(`${root}${path}.${ending}`)),
    );
    files.set(path, {
      body,
      coded: { ...(br ? { br } : {}), ...(gzip ? { gzip } : {}) },
      etag: `"${digest.toBase64().slice(0, 22)}"`,
      headers: {
        "content-type": TYPES[extname(path)] ?? "application/octet-stream",
        "cache-control": cacheControl(path),
        "x-content-type-options": "nosniff",
      },
    });
  }
}

async function readIfPresent(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

const INLINE_MODULE = /<script type="module">([\s\S]*?)<\/script>/;

/**
 * Fresh starts a page's islands with one inline module script in the head. The policy allows this
 * script by its hash, and no other inline script.
 */
async function secure(response: Response, build: string, reload: boolean): Promise<Response> {
  const headers = new Headers(response.headers);
  if (!headers.get("content-type")?.startsWith("text/html")) return response;
  // Pages change without a full load as long as they are of the same build.
  const page = (await response.text())
    .replace("<head>", `<head><meta name="parley-build" content="${build}"/>`);
  const html = reload
    ? page.replace("</body>", `<script src="${RELOAD_PATH}" type="module"></script></body>`)
    : page;
  const head = html.slice(0, Math.max(0, html.indexOf("</head>")));
  const script = INLINE_MODULE.exec(head)?.[1];
  const sources = ["'self'"];
  if (script !== undefined) {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script));
    sources.push(`'sha256-${new Uint8Array(digest).toBase64()}'`);
  }
  headers.set(
    "content-security-policy",
    [
      "default-src 'self'",
      `script-src ${sources.join(" ")}`,
      "style-src 'self'",
      "img-src 'self' data:",
      "connect-src 'self'",
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ].join("; "),
  );
  headers.set("x-content-type-options", "nosniff");
  headers.set("referrer-policy", "same-origin");
  headers.set("cache-control", "no-store");
  return new Response(html, { status: response.status, headers });
}
