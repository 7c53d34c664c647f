import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { bundleClient } from "./test_bundle.ts";
import { CONVERSATION, startServer } from "./test_server.ts";

/** The first version with WebSocket and Promise.withResolvers. */
const MIN_NODE = 22;
const NAME = "the SDK runs in Node and lets the process end after close";
const node = Deno.env.get("PARLEY_TEST_NODE") ?? "node";

async function missing(): Promise<string | null> {
  try {
    const { stdout } = await new Deno.Command(node, { args: ["--version"] }).output();
    const version = new TextDecoder().decode(stdout).trim();
    const major = Number(/^v(\d+)/.exec(version)?.[1]);
    return major >= MIN_NODE ? null : `Node ${version} is older than ${MIN_NODE}`;
  } catch {
    return "no Node";
  }
}

const SCRIPT = `
import { ParleyClient, ParleyCore, createFollower } from "./sdk.mjs";
const [url, conversationId] = process.argv.slice(2);
const client = new ParleyClient({ url, credentials: () => ({ token: "t" }) });
const states = [];
client.on("state", (state) => states.push(state));
const sent = client.send({ conversationId, content: "written before" });
await client.connect();
const store = client.conversation(conversationId);
const shown = new Promise((resolve) => {
  store.subscribe(({ items }) => {
    if (items.filter(({ message }) => message).length === 2) resolve(items);
  });
});
store.open();
const { seq } = await sent;
await store.send("written after");
const contents = (await shown).map(({ message }) => message.content);
client.close();

const core = new ParleyCore({ url, credentials: () => ({ token: "t" }) });
await core.connect();
const log = await new Promise((resolve) => {
  createFollower(core, conversationId, { event() {}, failed: resolve, joined: resolve }).start();
});
core.close();
console.log(JSON.stringify({ states, seq, contents, position: log.seq }));
`;

async function run() {
  const folder = await Deno.makeTempDir();
  const server = startServer();
  try {
    await Deno.writeTextFile(`${folder}/sdk.mjs`, await bundleClient("mod.ts"));
    await Deno.writeTextFile(`${folder}/script.mjs`, SCRIPT);
    // A timer or socket that is left would keep it running until the signal ends it.
    const { success, stdout, stderr } = await new Deno.Command(node, {
      args: [`${folder}/script.mjs`, server.url, CONVERSATION],
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      signal: AbortSignal.timeout(20_000),
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), {
      states: ["connecting", "connected", "closed"],
      seq: 1,
      contents: ["written before", "written after"],
      position: 2,
    });
  } finally {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

const reason = await missing();
if (reason === null) {
  Deno.test(NAME, run);
} else if (Deno.env.get("PARLEY_TEST_REQUIRE_ALL") === "1") {
  Deno.test(NAME, () => {
    throw new Error(`Cannot run "${NAME}": ${reason}`);
  });
} else {
  Deno.test.ignore(`${NAME} (skipped: ${reason})`, run);
}
