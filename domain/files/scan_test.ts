import assert from "node:assert/strict";
import { ParleyError } from "../../protocol/errors.ts";
import { createScan, type Scan } from "./scan.ts";
import { makeTempDir } from "../../tests/support/temp_dir.ts";

const FILE = { name: "ü.txt", mediaType: "text/plain" };
const stream = (text: string) => new Blob([text]).stream();

async function testScan(scan: Scan): Promise<void> {
  await scan(FILE, stream("harmless"));
  // More than a pipe holds.
  await scan(FILE, stream("harmless ".repeat(100_000)));
  const outcome = (text: string) =>
    scan(FILE, stream(text)).then(() => "passed", (error: ParleyError) => [
      error.code,
      error.message,
    ]);
  assert.deepEqual(await outcome("EICAR"), [
    "file_refused",
    "Cannot take the file: the scan refused it: Eicar FOUND",
  ]);
  const away = ["unavailable", "Cannot take the file: it could not be scanned"];
  assert.deepEqual(await outcome("BROKEN"), away);
  assert.deepEqual(await outcome("SLOW"), away);
}

Deno.test("a command decides by its exit code, and nothing passes that was not scanned", async () => {
  const folder = await makeTempDir();
  const script = `${folder}/scan.sh`;
  await Deno.writeTextFile(
    script,
    `text=$(cat | head -c 20)
case "$text" in
  EICAR*) echo "Eicar
FOUND"; exit 1;;
  BROKEN*) exit 2;;
  SLOW*) exec sleep 60;;
esac
`,
  );
  await testScan(createScan({ command: ` sh  ${script} `, timeoutMs: 3000 })!);
  await assert.rejects(
    createScan({ command: `${folder}/none`, timeoutMs: 3000 })!(FILE, stream("a")),
    (error) => error instanceof ParleyError && error.code === "unavailable",
  );
  assert.equal(createScan({ timeoutMs: 1 }), null);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a service decides by its status, and nothing passes that was not scanned", async () => {
  const names: (string | null)[] = [];
  const held: PromiseWithResolvers<Response>[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const text = await request.text();
    names.push(request.headers.get("x-file-name"));
    if (text === "EICAR") return new Response("Eicar\nFOUND", { status: 422 });
    if (text === "BROKEN") return new Response("", { status: 500 });
    if (text !== "SLOW") return new Response(null, { status: 204 });
    const waiting = Promise.withResolvers<Response>();
    held.push(waiting);
    return await waiting.promise;
  });
  const url = `http://127.0.0.1:${server.addr.port}/scan`;
  await testScan(createScan({ url, timeoutMs: 3000 })!);
  assert.ok(names.every((name) => name === "%C3%BC.txt"));
  for (const one of held) one.resolve(new Response());
  await server.shutdown();
});
