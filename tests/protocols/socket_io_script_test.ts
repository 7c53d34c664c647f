import assert from "node:assert/strict";
import { cast } from "../support/http.ts";
import { visit, withBrowser } from "../support/browser.ts";
import { startServer } from "../support/server.ts";
import { testWith } from "../support/services.ts";

Deno.test("the official client is where script tags look for it", async () => {
  const server = await startServer("pglite");
  try {
    for (const name of ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js"]) {
      const response = await fetch(`${server.url}/socket.io/${name}`);
      assert.equal(response.status, 200);
      assert.match(response.headers.get("content-type")!, /^text\/javascript/);
      assert.match(await response.text(), /Socket\.IO v4/);
      const again = await fetch(response.url, {
        headers: { "if-none-match": response.headers.get("etag")! },
      });
      assert.equal(again.status, 304);
    }
    for (const name of ["socket.io.php", "..%2fpackage.json", "package.json", "x/socket.io.js"]) {
      const response = await fetch(`${server.url}/socket.io/${name}`);
      assert.ok(response.status >= 400, name);
      await response.body?.cancel();
    }
  } finally {
    await server.close();
  }
});

testWith(["chromium"], "a page with the script tag talks as the document shows", async () => {
  // A page of one's own says itself what it may load.
  const headers = { "content-security-policy": "default-src * 'unsafe-inline' 'unsafe-eval'" };
  const page404 = () =>
    Promise.resolve(new Response("<!doctype html><title>Shop</title>", { headers }));
  const server = await startServer("pglite", {}, page404);
  server.url = server.url.replace("127.0.0.1", "localhost");
  try {
    const { visitor, conversation } = await cast(server);
    await withBrowser(async (browser) => {
      const { page, complaints } = await visit(browser);
      await page.goto(`${server.url}/shop`);
      await page.addScriptTag({ url: `${server.url}/socket.io/socket.io.js` });
      const said = await page.evaluate(`new Promise((resolve) => {
        const socket = io({ auth: { sessionId: ${JSON.stringify(visitor.sessionId)} } });
        socket.on("message_received", (data) => resolve(data.content));
        socket.on("authenticated", () => {
          socket.emit("join_conversation", ${JSON.stringify(conversation.id)});
          socket.emit("send_message", {
            conversationId: ${JSON.stringify(conversation.id)}, content: "Hello!",
          });
        });
      })`);
      assert.equal(said, "Hello!");
      // The browser asks for the page's icon by itself.
      assert.deepEqual(complaints.filter((text) => !text.includes("favicon")), []);
    });
  } finally {
    await server.close();
  }
});
