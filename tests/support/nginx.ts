/** nginx with the files of deploy/nginx, on a port of its own, without TLS and with short times. */
import { freePort } from "./parallel.ts";
import { makeTempDir } from "./temp_dir.ts";

const FILES = new URL("../../deploy/nginx/", import.meta.url);

export interface Nginx {
  /** "http://127.0.0.1:port" */
  url: string;
  port: number;
  /** What the access log has; a line is there when its request is over. */
  accessLog(): Promise<string>;
  close(): Promise<void>;
}

/** What differs from the shipped files, each replaced once at least. */
type Changes = [from: string | RegExp, to: string][];

function change(text: string, changes: Changes): string {
  for (const [from, to] of changes) {
    const changed = text.replaceAll(from, to);
    if (changed === text) throw new Error(`deploy/nginx: there is no ${from}`);
    text = changed;
  }
  return text;
}

/** @param ports of the nodes, in the order of the upstream file */
export async function startNginx(
  upstream: "upstream_one_node.conf" | "upstream_nodes.conf",
  ports: number[],
  changes: Changes = [],
): Promise<Nginx> {
  const folder = await makeTempDir();
  const port = freePort();
  const server = change(await Deno.readTextFile(new URL("parley.conf", FILES)), [
    // The redirection from port 80, and what TLS needs.
    [/\nserver \{\n {2}listen 80;[^}]*\}\n/g, "\n"],
    [/\n *ssl_[^\n]*/g, ""],
    ["/var/log/nginx/parley.log", `${folder}/access.log`],
    ["listen 443 ssl http2;", `listen 127.0.0.1:${port};`],
    ...changes,
  ]);
  const nodes = change(
    await Deno.readTextFile(new URL(upstream, FILES)),
    ports.map((to, n) => [`127.0.0.1:${8000 + n} `, `127.0.0.1:${to} `]),
  );
  await Deno.writeTextFile(`${folder}/parley.conf`, server);
  await Deno.writeTextFile(`${folder}/upstream.conf`, nodes);
  const root = Deno.uid() === 0 ? "user root;" : "";
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  await Deno.writeTextFile(
    `${folder}/nginx.conf`,
    `${root} worker_processes 2; pid ${folder}/pid; error_log stderr warn; daemon off;
     events { worker_connections 1024; }
     http { ${temp} access_log off; include ${folder}/upstream.conf; include ${folder}/parley.conf; }`,
  );
  const child = new Deno.Command("nginx", {
    args: ["-c", `${folder}/nginx.conf`, "-p", folder],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let errors = "";
  const read = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) errors += text;
  })();
  let over = false;
  const ended = Promise.all([child.status, read]).then(() => over = true);
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      break;
    } catch {
      if (over || Date.now() > deadline) throw new Error(`nginx does not listen: ${errors}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    accessLog: () => Deno.readTextFile(`${folder}/access.log`),
    async close() {
      if (!over) child.kill("SIGTERM");
      await ended;
      await Deno.remove(folder, { recursive: true });
    },
  };
}
