import assert from "node:assert/strict";
import { compressed } from "./compression.ts";

const LARGE = JSON.stringify(Array.from({ length: 500 }, (_, i) => ({ i })));

const codingOf = async (
  path: string,
  headers: Record<string, string> = {},
  body: BodyInit | null = LARGE,
  status = 200,
) => {
  const request = new Request(`http://localhost${path}`, { headers: { "accept-encoding": "br" } });
  const json = { "content-type": "application/json", ...headers };
  const answer = await compressed(request, new Response(body, { status, headers: json }));
  await answer.body?.cancel();
  return answer.headers.get("content-encoding");
};

Deno.test("what has a secret, is a stream, or is not to be changed, is not compressed", async () => {
  assert.equal(await codingOf("/api/conversations"), "br");
  assert.equal(await codingOf("/api/authors"), "br");
  for (const path of ["auth/refresh", "setup", "sessions", "api-keys", "contexts/a/tokens"]) {
    assert.equal(await codingOf(`/api/${path}`), null, path);
  }
  assert.equal(await codingOf("/x", { "cache-control": "private, no-transform" }), null);
  assert.equal(await codingOf("/x", { "content-encoding": "gzip" }), "gzip");
  assert.equal(await codingOf("/x", { "content-type": "text/event-stream" }), null);
  assert.equal(await codingOf("/x", { "content-type": "text/csv" }), null);
  assert.equal(await codingOf("/x", { "content-type": "image/png" }), null);
  assert.equal(await codingOf("/x", {}, LARGE, 206), null);
  assert.equal(await codingOf("/x", {}, null), null);
  assert.equal(await codingOf("/x", {}, "{}"), null);
});
