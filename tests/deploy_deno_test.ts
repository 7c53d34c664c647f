/**
 * Deno Deploy, imitated: main.ts without a task runner, a clean environment, no file that could be
 * written, requests over a socket that is not TCP, several instances side by side, and SIGINT with
 * five seconds.
 */
import assert from "node:assert/strict";
import { type ConversationStore, ParleyClient } from "../client/mod.ts";
import { cast } from "./support/http.ts";
import { type Edge, openEdge } from "./support/edge.ts";
import { ADMIN, makeDatabase } from "./support/server.ts";
import { REDIS_URL, testWith } from "./support/services.ts";

const ROOT = new URL("..", import.meta.url).pathname.slice(0, -1);
/** What the host leaves between SIGINT and SIGKILL. */
const STOP_MS = 5000;

/** What the platform sets in every instance. */
const PLATFORM = {
  DENO_DEPLOY: "true",
  DENO_DEPLOY_ORG_ID: "4d0f9c4e-6d3b-4a55-9d57-0d8f4f0f7c11",
  DENO_DEPLOY_ORG_SLUG: "acme",
  DENO_DEPLOY_APP_ID: "0b7c7f0a-7c0e-4f2a-8a61-2a4c6b9a1d22",
  DENO_DEPLOY_APP_SLUG: "chat",
  DENO_DEPLOY_BUILD_ID: "k3v9x1q7",
  DENO_DEPLOYMENT_ID: "k3v9x1q7-production",
  DENO_TIMELINE: "production",
  DENO_TRUST_PROXY_HEADERS: "1",
};

const METRICS_TOKEN = "a token that scrapes";

/** Where this Deno finds what it has downloaded; the platform's own is elsewhere. */
const denoDir = await (async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir as string;
})();

/** @param path of the socket that it listens on */
function command(env: Record<string, string>, path = "/none", root = ROOT): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    // The platform gives all permissions; what is written there is lost, so nothing may be.
    args: ["run", "--no-prompt", "--allow-net", "--allow-env", "--allow-read", "--allow-sys"]
      .concat(`--allow-write=${path}`, `${root}/main.ts`),
    // What is built is found beside the module, not in the working folder.
    cwd: "/",
    clearEnv: true,
    env: { DENO_DIR: denoDir, NO_COLOR: "1", ...PLATFORM, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

class Instance {
  output = "";
  readonly url: string;
  readonly #edge: Edge;
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<Deno.CommandStatus>;
  #over = false;
  #stopping: Promise<Deno.CommandStatus> | null = null;

  /** @param path of the socket that it is reached over */
  constructor(env: Record<string, string>, readonly path: string) {
    this.#edge = openEdge(() => path);
    this.url = this.#edge.url;
    this.#child = command({ ...env, DENO_SERVE_ADDRESS: `unix:${path}` }, path).spawn();
    const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) this.output += text;
    };
    this.#ended = Promise.all([
      this.#child.status,
      read(this.#child.stdout),
      read(this.#child.stderr),
    ]).then(([status]) => {
      this.#over = true;
      return status;
    });
  }

  /** Takes traffic. */
  async ready(): Promise<void> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      if (this.#over) throw new Error(`It ended: ${this.output}`);
      if (Date.now() > deadline) throw new Error(`It is not ready: ${this.output}`);
      try {
        const answer = await fetch(`${this.url}/ready`);
        await answer.body?.cancel();
        if (answer.status === 200) return;
      } catch {
        // Not listening yet.
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** As the host stops it. */
  stop(): Promise<Deno.CommandStatus> {
    return this.#stopping ??= this.#stop();
  }

  async #stop(): Promise<Deno.CommandStatus> {
    if (!this.#over) this.#child.kill("SIGINT");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    const status = await this.#ended;
    clearTimeout(timer);
    this.#edge.close();
    return status;
  }
}

/** Somebody with a client of the SDK, behind the edge that says where each connection goes. */
class Person {
  at: Instance;
  readonly store: ConversationStore;
  readonly #client: ParleyClient;
  readonly #edge: Edge;

  constructor(
    at: Instance,
    credentials: { token: string } | { sessionId: string },
    conversationId: string,
  ) {
    this.at = at;
    this.#edge = openEdge(() => this.at.path);
    this.#client = new ParleyClient({
      url: this.#edge.url,
      credentials: () => credentials,
      minDelayMs: 20,
      maxDelayMs: 200,
    });
    this.#client.connect();
    this.store = this.#client.conversation(conversationId);
    this.store.open();
  }

  /** Stored messages, in the order of the thread. */
  contents(): string[] {
    // Without the lines of the history, which only agents see.
    return this.store.snapshot.items.flatMap(({ message }) =>
      message?.type === "text" ? message.content : []
    );
  }

  until(holds: () => boolean, what: string): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        end();
        reject(new Error(`Waited in vain for ${what}: ${this.contents().join(" ")}`));
      }, 30_000);
      const end = this.store.subscribe(() => {
        if (!holds()) return;
        clearTimeout(timer);
        end();
        resolve();
      });
    });
  }

  close(): void {
    this.store.close();
    this.#client.close();
    this.#edge.close();
  }
}

/** The status of an upgrade from a page of this origin. */
async function upgrade({ url }: Instance, origin: string): Promise<number> {
  const { host, hostname, port } = new URL(url);
  const socket = await Deno.connect({ hostname, port: Number(port) });
  const lines = [
    "GET /realtime HTTP/1.1",
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Origin: ${origin.replace("HOST", host)}`,
  ];
  await socket.write(new TextEncoder().encode(lines.join("\r\n") + "\r\n\r\n"));
  const buffer = new Uint8Array(4096);
  const count = await socket.read(buffer) ?? 0;
  socket.close();
  return Number(new TextDecoder().decode(buffer.subarray(0, count)).split(" ")[1]);
}

interface Asked {
  permission: string;
  value: string | null;
}

/** Permissions that were asked for. */
async function asked(audit: string): Promise<Asked[]> {
  const lines = (await Deno.readTextFile(audit)).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Asked);
}

/** The runtime notes a file that is opened for reading as written, too [Deno 2.9.6]. */
const isFine = ({ value }: Asked) =>
  /(^|\/)\.(output|build)(\/|$)|\.sock$|^\/(dev|proc)\//.test(value ?? "");

for (const broker of ["postgres", "redis"] as const) {
  testWith(
    ["postgres", "redis"],
    `two instances on Deno Deploy are one Parley, and one may stop at any time [${broker}]`,
    async () => {
      const database = await makeDatabase();
      // Not in /dev/shm: what lies below /dev needs all permissions.
      const folder = await Deno.makeTempDir({ prefix: "parley_test_" });
      const env = {
        DATABASE_URL: database.url,
        JWT_SECRET: "a secret that all instances share",
        ADMIN_EMAIL: ADMIN.email,
        ADMIN_PASSWORD: ADMIN.password,
        ...(broker === "redis" ? { REDIS_URL } : {}),
      };
      const a = new Instance(
        { ...env, DENO_AUDIT_PERMISSIONS: `${folder}/audit`, METRICS_TOKEN },
        `${folder}/a.sock`,
      );
      const b = new Instance(env, `${folder}/b.sock`);
      const people: Person[] = [];
      try {
        await Promise.all([a.ready(), b.ready()]);
        const metrics = await fetch(`${a.url}/metrics`, {
          headers: { authorization: `Bearer ${METRICS_TOKEN}` },
        });
        assert.doesNotMatch(await metrics.text(), /parley_disk_/, "there is no disk");
        const { agent, visitor, conversation } = await cast(a);
        const v = new Person(a, { sessionId: visitor.sessionId }, conversation.id);
        const g = new Person(b, { token: agent.token }, conversation.id);
        people.push(v, g);
        await Promise.all(
          people.map((person) =>
            person.until(() => person.store.snapshot.status === "ready", "the conversation")
          ),
        );
        await v.store.send("Hello?");
        await g.until(() => g.contents().includes("Hello?"), "the visitor");
        await g.store.send("Hello!");
        await v.until(() => v.contents().includes("Hello!"), "the agent");

        // Traffic goes elsewhere first, and then the instance is told to stop, under writes.
        const numbers = Array.from({ length: 20 }, (_, n) => n);
        const writing = numbers.map(async (n) => {
          await new Promise((resolve) => setTimeout(resolve, 15 * n));
          await Promise.all([v.store.send(`v${n}`), g.store.send(`g${n}`)]);
        });
        await v.until(() => v.contents().includes("g3"), "the fourth");
        v.at = b;
        const { code, signal } = await a.stop();
        assert.deepEqual([code, signal], [0, null], a.output);
        await Promise.all(writing);
        const total = 2 + 2 * numbers.length;
        for (const person of people) {
          await person.until(() => person.contents().length >= total, "everything");
        }
        assert.deepEqual(v.contents(), g.contents(), "one order for both");
        for (const who of ["v", "g"]) {
          const own = g.contents().filter((text) => new RegExp(`^${who}\\d`).test(text));
          assert.deepEqual(own, numbers.map((n) => `${who}${n}`), "each once, in order");
        }

        for (const [path, status] of [["/login", 200], ["/widget.js", 200], ["/metrics", 401]]) {
          const answer = await fetch(`${b.url}${path}`);
          await answer.body?.cancel();
          assert.equal(answer.status, status, `${path}`);
        }
        // Pages are served over HTTPS, whatever carries them inside.
        assert.equal(await upgrade(b, "https://HOST"), 101);
        assert.equal(await upgrade(b, "http://HOST"), 403);
        const all = await asked(`${folder}/audit`);
        assert.ok(
          all.some(({ permission }) => permission === "net"),
          "the audit has what was asked",
        );
        const unfit = all.filter((one) => ["write", "run", "ffi"].includes(one.permission));
        assert.deepEqual(unfit.filter((one) => !isFine(one)), []);
      } finally {
        for (const person of people) person.close();
        await Promise.all([a.stop(), b.stop()]);
        await database.drop();
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
}

Deno.test("a start on Deno Deploy without a database or a secret says so in one line", async () => {
  const refused = async (env: Record<string, string>) => {
    const { code, stderr } = await command({ PORT: "0", ...env }).output();
    return { code, text: new TextDecoder().decode(stderr) };
  };
  const [database, secret] = await Promise.all([
    refused({ JWT_SECRET: "a secret that all instances share" }),
    refused({ DATABASE_URL: "postgres://db.example/parley" }),
  ]);
  assert.equal(database.code, 1);
  assert.match(
    database.text,
    /^Cannot start on Deno Deploy: setting DATABASE_URL is not set: [^\n]+\n$/,
  );
  assert.equal(secret.code, 1);
  assert.match(
    secret.text,
    /^Cannot start on Deno Deploy: setting JWT_SECRET is not set: [^\n]+\n$/,
  );
});

Deno.test("a start of what is not built says so in one line", async () => {
  const folder = await Deno.makeTempDir({ prefix: "parley_test_" });
  try {
    for await (const { name } of Deno.readDir(ROOT)) {
      if (name.startsWith(".")) continue;
      await Deno.symlink(`${ROOT}/${name}`, `${folder}/${name}`);
    }
    const env = {
      PORT: "0",
      DATABASE_URL: "postgres://127.0.0.1:1/parley",
      JWT_SECRET: "a secret that all instances share",
    };
    const { code, stderr } = await command(env, "/none", folder).output();
    assert.equal(code, 1);
    const lines = new TextDecoder().decode(stderr).trim().split("\n");
    const said =
      `Cannot start: the dashboard is not built in "${folder}" (run "deno task build" first)`;
    assert.equal(lines.at(-1), said);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("deno.json tells Deno Deploy how to build, migrate and start", async () => {
  const { deploy, tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  assert.deepEqual(deploy.runtime, { type: "dynamic", entrypoint: "main.ts" });
  const [, task] = /^deno task (\w+)$/.exec(deploy.predeploy)!;
  assert.ok(task! in tasks, `there is a task "${task}"`);
  // The version that everything here is tested with, whichever one the platform has.
  const [, version] = /npm:deno@(\S+) task build$/.exec(deploy.build)!;
  for (const path of ["Dockerfile", ".ci/run"]) {
    const text = await Deno.readTextFile(`${ROOT}/${path}`);
    for (const [, other] of text.matchAll(/deno[:@](\d+\.\d+\.\d+)/g)) {
      assert.equal(other, version, path);
    }
  }
});
