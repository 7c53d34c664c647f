/** What is refused says which field is wrong and what it has to be, over HTTP and on sockets. */
import assert from "node:assert/strict";
import { call, login } from "./support/http.ts";
import { startServer } from "./support/server.ts";
import { open } from "./protocols/scoped_peer.ts";

interface Problem {
  code: string;
  detail: string;
  fields: { path: string; message: string }[];
}

Deno.test("a bad field, a bad filter and a context of null", async () => {
  const server = await startServer("pglite");
  try {
    const { token } = await login(server);

    /** The status and the error of a request that is refused. */
    const refusal = async (method: string, path: string, body?: unknown) => {
      const { status, body: problem } = await call<Problem>(server, method, path, {
        token,
        ...(body === undefined ? {} : { body }),
      });
      return [status, problem.code, problem.detail, problem.fields[0]];
    };
    assert.deepEqual(await refusal("POST", "/api/labels", { name: "x".repeat(51) }), [
      422,
      "invalid",
      'Cannot accept the body: "name": must have at most 50 characters',
      { path: "name", message: "must have at most 50 characters" },
    ]);
    const statuses = 'must be one of "open", "pending", "snoozed", "resolved"';
    assert.deepEqual(await refusal("GET", "/api/conversations?status="), [
      422,
      "invalid",
      `Cannot accept the query: "status": ${statuses}`,
      { path: "status", message: statuses },
    ]);
    const messages = "/api/conversations/01a1f905-b485-7004-91ff-9a78c06738dd/messages";
    for (const path of [`${messages}?after=`, `${messages}?before=+5`, "/api/contacts?limit=1e1"]) {
      const [status, code, , field] = await refusal("GET", path);
      assert.deepEqual([status, code], [422, "invalid"], path);
      assert.equal((field as { message: string }).message, "must be a number", path);
    }
    const [, , , action] = await refusal("GET", "/api/audit?action=nonsense");
    assert.match((action as { message: string }).message, /^must be one of "sign_in\.started", /);
    assert.equal((await call(server, "GET", "/api/contacts?limit=5", { token })).status, 200);

    const peer = await open(server, "chat");
    peer.send({ type: "auth", token, contextId: null });
    const { data } = await peer.until(({ type }) => type === "authenticated", "authenticated");
    assert.equal(data.contextId, null);
    await peer.close();
    assert.deepEqual(server.errors, []);
  } finally {
    await server.close();
  }
});
