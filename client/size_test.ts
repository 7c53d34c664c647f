import assert from "node:assert/strict";
import { bundleClient } from "./test_bundle.ts";

/** Bytes, gzip. */
const CORE_BUDGET = 6 * 1024;
const TOTAL_BUDGET = 9 * 1024;

async function gzipSize(code: string): Promise<number> {
  const zipped = new Blob([code]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(zipped).arrayBuffer()).byteLength;
}

Deno.test("the SDK is small: its core under 6 KB, with conversation stores under 9 KB", async () => {
  const core = await bundleClient("core.ts");
  // As the widget and the dashboard use it: without the clients of other protocols.
  const all = await bundleClient("mod.ts", ["ParleyClient", "ConversationStore", "deliveryStatus"]);
  const [coreSize, totalSize] = [await gzipSize(core), await gzipSize(all)];
  assert.ok(coreSize < CORE_BUDGET, `core: ${coreSize} bytes`);
  assert.ok(totalSize < TOTAL_BUDGET, `everything: ${totalSize} bytes`);
  // One module without dependencies, and a core without the rest of the SDK.
  assert.doesNotMatch(core + all, /\bimport\b/);
  assert.doesNotMatch(core, /loadOlder/);
  assert.doesNotMatch(all, /auth_response|conversationEvent/);
});
