/** What people do with messages in the inbox and the widget: format, edit, withdraw, reply, react. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { settle, violations, visit } from "./support/browser.ts";
import { signIn, withPages } from "./support/pages.ts";
import { ADMIN, type TestServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";

/** Where pictures go, to be looked at; unset: nowhere. */
const SHOTS = Deno.env.get("PARLEY_TEST_SHOTS");

async function shoot(page: Page, name: string): Promise<void> {
  if (!SHOTS) return;
  const size = page.viewportSize();
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
      await page.setViewportSize(viewport);
      await settle(page);
      await page.screenshot({ path: `${SHOTS}/${name}-${scheme}-${viewport.width}.png` });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (size) await page.setViewportSize(size);
}

/** A visitor's widget and an agent's inbox, in the same conversation. */
interface Stage {
  server: TestServer;
  inbox: Page;
  widget: Page;
}

const field = (widget: Page) => widget.getByRole("textbox", { name: "Message" });
const log = (widget: Page) => widget.getByLabel("Messages", { exact: true });
const thread = (inbox: Page) => inbox.getByRole("region", { name: "Messages" });
const composer = (inbox: Page) => inbox.getByRole("textbox", { name: /^Reply to/ });

async function formatting({ inbox, widget }: Stage) {
  const text = [
    "**Not** [here](https://example.com/a) but",
    "- one\n- two",
    "> as _you_ said\n\n```\nlet a = 1 < 2;\n```",
    "<img src=x onerror=alert(1)> [x](javascript:alert(1)) `www.example.com`",
  ].join("\n\n");
  await field(widget).fill(text);
  await field(widget).press("Enter");
  for (const place of [log(widget), thread(inbox)]) {
    const said = place.locator(".bubble").last();
    await said.locator("pre", { hasText: "let a = 1 < 2;" }).waitFor();
    assert.equal(await said.locator("strong").textContent(), "Not");
    assert.deepEqual(await said.locator("li").allTextContents(), ["one", "two"]);
    assert.equal(await said.locator("blockquote em").textContent(), "you");
    const links = await said.locator("a").evaluateAll((all) =>
      all.map((a) => [a.getAttribute("href"), a.getAttribute("rel")])
    );
    assert.deepEqual(links, [["https://example.com/a", "noopener noreferrer nofollow ugc"]]);
    assert.match(await said.innerText(), /<img src=x onerror=alert\(1\)> \[x\]\(javascript/);
    assert.equal(await said.locator("img, script").count(), 0);
  }
  // Keys of the composer set the marks, and take them away.
  const box = composer(inbox);
  await box.fill("It is here");
  await box.press("Shift+Control+ArrowLeft");
  await box.press("Control+b");
  await box.press("Control+i");
  assert.equal(await box.inputValue(), "It is ***here***");
  await box.press("Control+i");
  assert.equal(await box.inputValue(), "It is **here**");
  await box.press("Enter");
  await log(widget).locator("strong", { hasText: "here" }).waitFor();
  await thread(inbox).locator("strong", { hasText: "here" }).waitFor();
  await shoot(inbox, "formatted-inbox");
  await shoot(widget, "formatted-widget");
}

testWith(
  ["chromium"],
  "messages are formatted, edited, withdrawn, replied to and reacted to on both sides",
  () =>
    withPages(async (url, server, browser) => {
      const visitor = await visit(browser);
      const widget = visitor.page;
      await widget.goto(`${url}/demo`);
      await widget.getByRole("button", { name: "Chat" }).click();
      await field(widget).fill("Hello");
      await field(widget).press("Enter");
      const agent = await visit(browser);
      const inbox = agent.page;
      await signIn(inbox, url, ADMIN);
      await inbox.locator("[data-row]").first().click();
      await composer(inbox).waitFor();
      const stage = { server, inbox, widget };
      await formatting(stage);
      for (const page of [inbox, widget]) assert.deepEqual(await violations(page), []);
      assert.deepEqual([...visitor.complaints, ...agent.complaints], []);
    }),
);
