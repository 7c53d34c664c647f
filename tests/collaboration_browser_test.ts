/** Two Chromium pages that write one text at once, in a plain textarea and in CodeMirror 6. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { rolldown } from "rolldown";
import { visit, withBrowser } from "./support/browser.ts";
import { cast } from "./support/http.ts";
import { startServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";

const PROGRAM = `
import { ParleyClient } from "../client/mod.ts";
import { bindTextarea, codeMirror, CollaborationClient } from "../client/collaboration.ts";
import * as state from "@codemirror/state";
import * as view from "@codemirror/view";

const { editor, token, conversationId } = Object.fromEntries(new URLSearchParams(location.search));
const client = new ParleyClient({ url: location.origin, credentials: () => ({ token }) });
const shared = new CollaborationClient(client).open({ conversationId });
if (editor === "textarea") {
  const element = document.createElement("textarea");
  document.body.append(element);
  bindTextarea(element, shared);
} else {
  new view.EditorView({ parent: document.body, extensions: [codeMirror({ state, view }, shared)] });
}
window.shared = shared;
client.connect();
`;

async function bundle(): Promise<string> {
  const user = fileURLToPath(new URL("./collaboration_page.js", import.meta.url));
  const build = await rolldown({
    input: user,
    platform: "browser",
    plugins: [{
      name: "program",
      resolveId: (id) => id === user ? id : null,
      load: (id) => id === user ? PROGRAM : null,
    }],
  });
  const { output } = await build.generate({ format: "esm", codeSplitting: false });
  await build.close();
  return output[0].code;
}

interface Shared {
  shared: { text: string; status: string; isSettled: boolean; setText(text: string): void };
}
const textOf = (page: Page) => page.evaluate(() => (globalThis as unknown as Shared).shared.text);
const shownIn = (page: Page) =>
  page.evaluate(() => {
    const area = document.querySelector("textarea");
    if (area !== null) return area.value;
    return [...document.querySelectorAll(".cm-line")].map((line) => {
      const own = line.cloneNode(true) as HTMLElement;
      return own.textContent ?? "";
    }).join("\n");
  });

testWith(
  ["chromium"],
  "two pages write one text at once, and each cursor stays where it writes",
  async () => {
    const code = await bundle();
    const site = (request: Request) =>
      Promise.resolve(
        new URL(request.url).pathname === "/page.js"
          ? new Response(code, { headers: { "content-type": "text/javascript" } })
          : new Response(
            '<!doctype html><meta charset="utf-8"><script type="module" src="/page.js"></script>',
            {
              headers: {
                "content-type": "text/html",
                // A page of one's own says itself what it may load.
                "content-security-policy": "default-src * 'unsafe-inline' 'unsafe-eval'",
              },
            },
          ),
      );
    const server = await startServer("pglite", { LIMIT_MESSAGES_PER_MINUTE: "10000" }, site);
    try {
      await withBrowser(async (browser) => {
        for (
          const editors of [["textarea", "textarea"], ["textarea", "codemirror"], [
            "codemirror",
            "codemirror",
          ]]
        ) {
          const { agent, conversation: { id: conversationId } } = await cast(server);
          const visits = await Promise.all(editors.map(() => visit(browser)));
          const [ann, bob] = visits.map(({ page }) => page) as [Page, Page];
          for (const [i, { page }] of visits.entries()) {
            const query = new URLSearchParams({
              editor: editors[i]!,
              token: agent.token,
              conversationId,
            });
            await page.goto(`${server.url}/?${query}`);
            await page.waitForFunction(() =>
              (globalThis as unknown as Shared).shared?.status === "ready"
            );
            await page.locator("textarea, .cm-content").focus();
          }
          const line = "— 👩‍👩‍👧 —";
          const middle = `\n${line}\n`;
          // Lines by their key: where a page pastes them at once, the browser decides how many.
          await ann.keyboard.press("Enter");
          await ann.keyboard.insertText(line);
          await ann.keyboard.press("Enter");
          await bob.waitForFunction(
            (text) => (globalThis as unknown as Shared).shared.text === text,
            middle,
          );
          await ann.keyboard.press("Control+Home");
          await bob.keyboard.press("Control+End");
          const [first, last] = ["Ann writes at the start, é😀.", "Bob writes at the end, שלום."];
          await Promise.all([
            ann.keyboard.type(first, { delay: 5 }),
            bob.keyboard.type(last, { delay: 7 }),
          ]);
          const expected = first + middle + last;
          for (const page of [ann, bob]) {
            await page.waitForFunction((text) => {
              const { shared } = globalThis as unknown as Shared;
              return shared.text === text && shared.isSettled;
            }, expected).catch(async () => assert.equal(await textOf(page), expected));
            assert.equal(await shownIn(page), expected);
          }
          if (editors[1] === "codemirror") {
            await bob.locator(".cm-peer-caret").first().waitFor();
            assert.equal(
              await bob.locator(".cm-peer-caret").first().getAttribute("data-name"),
              agent.user.name,
            );
          }
          // The same place, both at once: all letters are there, once.
          await ann.keyboard.press("Control+Home");
          await bob.keyboard.press("Control+Home");
          await Promise.all([ann.keyboard.type("aaaaaaaaaa"), bob.keyboard.type("bbbbbbbbbb")]);
          for (const page of [ann, bob]) {
            await page.waitForFunction((length) => {
              const { shared } = globalThis as unknown as Shared;
              return shared.text.length === length && shared.isSettled;
            }, expected.length + 20);
          }
          assert.equal(await textOf(ann), await textOf(bob));
          assert.equal(await shownIn(ann), await shownIn(bob));
          const mixed = (await textOf(ann)).slice(0, 20);
          assert.equal([...mixed].sort().join(""), "aaaaaaaaaabbbbbbbbbb");
          // What the page's own program writes shows in its editor as well, and typing goes on.
          await ann.evaluate(() =>
            (globalThis as unknown as Shared).shared.setText("Dear Grace,\nBye.")
          );
          await ann.keyboard.press("Control+Home");
          await ann.keyboard.type("> ");
          for (const page of [ann, bob]) {
            await page.waitForFunction((text) => {
              const { shared } = globalThis as unknown as Shared;
              return shared.text === text && shared.isSettled;
            }, "> Dear Grace,\nBye.").catch(async () =>
              assert.equal(await textOf(page), "> Dear Grace,\nBye.")
            );
            assert.equal(await shownIn(page), "> Dear Grace,\nBye.");
          }
          for (const { complaints, context } of visits) {
            assert.deepEqual(complaints.filter((line) => !line.includes("favicon")), []);
            await context.close();
          }
        }
      });
      if (server.errors.length > 0) throw server.errors[0];
    } finally {
      await server.close();
    }
  },
);
