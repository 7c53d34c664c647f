/** A page that slept: stopped by the browser, its token long over, and right again when it wakes. */
import assert from "node:assert/strict";
import { visit } from "./support/browser.ts";
import { poll } from "./support/deadline.ts";
import { call, post } from "./support/http.ts";
import { parseMetrics } from "./support/metrics.ts";
import { assign, colleagues, newVisitor } from "./support/notifications.ts";
import { signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

testWith(
  ["chromium"],
  "a page that slept is right when it wakes, and is not loaded again",
  (t) =>
    withPages(async (url, server, browser) => {
      const [ada] = await colleagues(server, "Bea");
      const open = await newVisitor(server, ada!);
      const other = await newVisitor(server, ada!);
      await post(server, open.sessionId, open.conversationId, "Before the night");
      await post(server, other.sessionId, other.conversationId, "Somebody else");
      const { page, context, complaints } = await visit(browser);
      await signIn(page, url, ADMIN, `/conversations/${open.conversationId}`);
      await page.getByRole("textbox", { name: /^Reply to/ }).fill("I was about to say");
      await page.evaluate(() => Object.assign(globalThis, { same: true }));
      const sockets: string[] = [];
      page.on("websocket", (socket) => sockets.push(socket.url()));
      const cdp = await context.newCDPSession(page);
      const connections = async () => {
        const samples = parseMetrics(await (await fetch(`${server.url}/metrics`)).text());
        return [...samples].filter(([name]) =>
          name.startsWith("parley_connections{") || name === "parley_connections"
        )
          .reduce((sum, [, value]) => sum + value, 0);
      };

      await t.step("stopped, until the server has given it up and its token is over", async () => {
        assert.equal(await connections(), 1);
        // Without a screen the browser refuses to freeze a page; stopped in its debugger, it does as
        // little: no timer and no event, while the clock and the server go on.
        await cdp.send("Debugger.enable");
        const paused = new Promise((resolve) => cdp.once("Debugger.paused", resolve));
        cdp.send("Runtime.evaluate", { expression: "debugger" }).catch(() => {});
        await paused;
        await poll(connections, (count) => count === 0, "the end of the connection");
        // What happens in a night.
        for (const words of ["Are you there?", "It is morning", "The last word"]) {
          await post(server, open.sessionId, open.conversationId, words);
        }
        await post(server, other.sessionId, other.conversationId, "Still waiting");
        const [again, bea] = await colleagues(server, "Bea");
        await assign(server, again!, open.conversationId, bea!);
        const third = await newVisitor(server, again!);
        await post(server, third.sessionId, third.conversationId, "Somebody new");
        assert.deepEqual(sockets, [], "it sleeps");
      });

      await t.step("awake: what is missing comes at once, by one new connection", async () => {
        await cdp.send("Debugger.resume");
        // As the browser tells the page that somebody looks at it again.
        await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
        const start = performance.now();
        await page.locator(".thread-lines").getByText("The last word").waitFor();
        const took = performance.now() - start;
        if (Deno.env.get("PARLEY_TEST_SHOTS")) console.log(`awake after ${took.toFixed(0)} ms`);
        const lines = await page.locator(".bubble .said").allTextContents();
        assert.deepEqual(lines, [
          "Before the night",
          "Are you there?",
          "It is morning",
          "The last word",
        ]);
        await page.locator("[data-row]", { hasText: "Still waiting" }).waitFor();
        await page.locator("[data-row]", { hasText: "Somebody new" }).waitFor();
        await page.locator(".assignee-button", { hasText: "Bea" }).waitFor();
        assert.equal(sockets.length, 1);
        assert.equal(
          await page.evaluate(() => "same" in globalThis),
          true,
          "it was not loaded again",
        );
        const reply = page.getByRole("textbox", { name: /^Reply to/ });
        assert.equal(await reply.inputValue(), "I was about to say");
      });

      await t.step("it goes on working: a reply is sent, and the API knows who it is", async () => {
        await page.getByRole("textbox", { name: /^Reply to/ }).press("Enter");
        const path = `/api/conversations/${open.conversationId}/messages`;
        await poll(
          async () =>
            (await call<{ items: { content: string }[] }>(server, "GET", path, {
              token: open.sessionId,
            }))
              .body.items.at(-1)?.content,
          (content) => content === "I was about to say",
          "the reply",
        );
        await page.keyboard.press("Escape");
        await page.keyboard.press("u");
        await page.getByText("Marked as unread.").waitFor();
      });
      // A token that is over is renewed, and the browser remarks on it.
      assert.deepEqual(complaints.filter((one) => !/status of 401/.test(one)), []);
    }, { ACCESS_TOKEN_MS: "6000", TOKEN_GRACE_MS: "200", PRESENCE_GRACE_MS: "200" }),
);
