/** What people do with messages in the inbox and the widget: format, edit, withdraw, reply, react. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { settle, violations, visit } from "./support/browser.ts";
import { call, login } from "./support/http.ts";
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
  /** The agent's. */
  token: string;
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

/** Opens the menu of a message by keyboard: from the last one up to it, then Enter. */
async function menuOf(inbox: Page, text: string) {
  const line = thread(inbox).locator(".bubble-line", { hasText: text }).last();
  await line.focus();
  await line.press("Enter");
  await inbox.getByRole("menu", { name: "Message" }).waitFor();
}

async function editing({ inbox, widget }: Stage) {
  const box = composer(inbox);
  await box.fill("We open at 8");
  await box.press("Enter");
  await thread(inbox).getByText("We open at 8").waitFor();
  await thread(inbox).locator('.bubble-line:last-of-type [data-receipt="sending"]').waitFor({
    state: "detached",
  });
  // From the empty composer the last own message, and back.
  await box.press("ArrowUp");
  const area = inbox.getByRole("textbox", { name: "Edit the message" });
  await area.fill("We open at **9**");
  await shoot(inbox, "editing-inbox");
  assert.deepEqual(await violations(inbox), []);
  await area.press("Enter");
  await area.waitFor({ state: "detached" });
  assert.equal(await box.evaluate((one) => one === document.activeElement), true);
  for (const place of [log(widget), thread(inbox)]) {
    await place.locator("strong", { hasText: "9" }).waitFor();
    await place.getByText("Edited").waitFor();
    assert.equal(await place.getByText("We open at 8").count(), 0);
  }
  // The visitor's, in the widget.
  await field(widget).fill("At 9 o clock?");
  await field(widget).press("Enter");
  await thread(inbox).getByText("At 9 o clock?").waitFor();
  await log(widget).locator(".more").last().waitFor();
  await field(widget).press("ArrowUp");
  const own = widget.getByRole("textbox", { name: "Edit the message" });
  await own.fill("At 9 o'clock?");
  await shoot(widget, "editing-widget");
  assert.deepEqual(await violations(widget), []);
  await own.press("Enter");
  await thread(inbox).getByText("At 9 o'clock?").waitFor();
  assert.equal(await field(widget).evaluate((one) => one.matches(":focus")), true);
}

async function withdrawing({ inbox, widget }: Stage) {
  await menuOf(inbox, "We open at 9");
  await inbox.getByRole("menuitem", { name: /Withdraw/ }).press("Enter");
  const dialog = inbox.getByRole("dialog", { name: "Withdraw this message?" });
  await shoot(inbox, "withdrawing-inbox");
  assert.deepEqual(await violations(inbox), []);
  await dialog.getByRole("button", { name: "Withdraw" }).click();
  await thread(inbox).getByText("Message withdrawn").waitFor();
  await log(widget).getByText("This message was withdrawn").waitFor();
  assert.equal(await log(widget).getByText("We open at").count(), 0);
  // By its button, which arrows reach; Esc closes what it opened, not the chat.
  const options = log(widget).getByRole("button", { name: "Message options" });
  await options.last().focus();
  await widget.keyboard.press("ArrowUp");
  await widget.keyboard.press("ArrowDown");
  await widget.keyboard.press("Enter");
  const sheet = widget.getByRole("group", { name: "Message options" });
  await sheet.waitFor();
  await shoot(widget, "options-widget");
  assert.deepEqual(await violations(widget), []);
  await widget.keyboard.press("Escape");
  await sheet.waitFor({ state: "detached" });
  await widget.keyboard.press("Enter");
  await sheet.getByRole("button", { name: "Withdraw" }).click();
  await widget.getByRole("group", { name: "Withdraw the message" })
    .getByRole("button", { name: "Withdraw" }).click();
  await log(widget).getByText("This message was withdrawn").nth(1).waitFor();
  await thread(inbox).getByText("Message withdrawn").nth(1).waitFor();
}

async function replying({ inbox, widget }: Stage) {
  await field(widget).fill("Which colours are there?");
  await field(widget).press("Enter");
  await thread(inbox).getByText("Which colours are there?").waitFor();
  // By its key, from the message.
  const line = thread(inbox).locator(".bubble-line", { hasText: "Which colours" });
  await line.focus();
  await line.press("q");
  const bar = inbox.locator(".reply-bar");
  await bar.getByText("Which colours are there?").waitFor();
  await shoot(inbox, "replying-inbox");
  assert.deepEqual(await violations(inbox), []);
  // Esc takes it back, then by the menu.
  await composer(inbox).press("Escape");
  await bar.waitFor({ state: "detached" });
  await menuOf(inbox, "Which colours");
  await inbox.getByRole("menuitem", { name: /Reply/ }).press("Enter");
  await bar.waitFor();
  await inbox.locator("#composer:focus").waitFor();
  await inbox.keyboard.type("Green and sand");
  await inbox.keyboard.press("Enter");
  await bar.waitFor({ state: "detached" });
  for (const place of [log(widget), thread(inbox)]) {
    await place.locator(".quote", { hasText: "Which colours are there?" }).waitFor();
  }
  // The visitor replies to the reply.
  await log(widget).locator(".line", { hasText: "Green and sand" }).locator(".more").press("Enter");
  await widget.getByRole("button", { name: "Reply", exact: true }).click();
  await widget.getByRole("group", { name: "Reply" }).waitFor();
  await shoot(widget, "replying-widget");
  assert.deepEqual(await violations(widget), []);
  await widget.keyboard.type("Sand, please");
  await widget.keyboard.press("Enter");
  const quoted = thread(inbox).locator(".bubble-line", { hasText: "Sand, please" });
  await quoted.locator(".quote", { hasText: "Green and sand" }).waitFor();
  await shoot(inbox, "replied-inbox");
  await shoot(widget, "replied-widget");
  // A quote leads to its message, on both sides.
  await quoted.locator(".quote").press("Enter");
  const original = thread(inbox).locator(".bubble-line:focus", { hasText: "Green and sand" });
  await original.waitFor();
  await log(widget).locator(".line", { hasText: "Sand, please" }).locator(".quote").press("Enter");
  await log(widget).locator(".found", { hasText: "Green and sand" }).waitFor();
}

async function reacting({ inbox, widget }: Stage) {
  await field(widget).fill("Thank you so much");
  await field(widget).press("Enter");
  const line = thread(inbox).locator(".bubble-line", { hasText: "Thank you so much" });
  await line.waitFor();
  await line.focus();
  await line.press("+");
  const dialog = inbox.getByRole("dialog", { name: "React to the message" });
  await dialog.getByRole("combobox").waitFor();
  await shoot(inbox, "reacting-inbox");
  assert.deepEqual(await violations(inbox), []);
  await inbox.keyboard.type("party popper");
  await inbox.keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  const chip = line.getByRole("button", { name: /^🎉 1\s*: You/ });
  await chip.waitFor();
  const own = log(widget).locator(".line", { hasText: "Thank you so much" });
  await own.getByRole("button", { name: "🎉 1" }).waitFor();
  // The visitor joins in, and adds another one.
  await own.getByRole("button", { name: "🎉 1" }).press("Enter");
  await own.locator('.reactions [aria-pressed="true"]', { hasText: "🎉 2" }).waitFor();
  await own.locator(".more").press("Enter");
  await widget.getByRole("group", { name: "React" }).getByRole("button", { name: "❤️" }).click();
  await own.getByRole("button", { name: "❤️ 1" }).waitFor();
  await line.getByRole("button", { name: /^🎉 2\s*: You, Visitor/ }).waitFor();
  await line.getByRole("button", { name: /^❤️ 1\s*: Visitor/ }).waitFor();
  await shoot(inbox, "reacted-inbox");
  await shoot(widget, "reacted-widget");
  for (const page of [inbox, widget]) assert.deepEqual(await violations(page), []);
  // Once more takes it back.
  await line.getByRole("button", { name: /^🎉 2\s*: You/ }).press("Enter");
  await own.getByRole("button", { name: "🎉 1" }).waitFor();
}

/** What is refused says why, and keeps what was typed. */
async function tooLate({ server, inbox, widget, token }: Stage) {
  await field(widget).fill("The last one");
  await field(widget).press("Enter");
  await composer(inbox).fill("Mine");
  await composer(inbox).press("Enter");
  await log(widget).getByText("Mine").waitFor();
  await log(widget).locator(".own .more").last().waitFor();
  await menuOf(inbox, "Mine");
  await inbox.getByRole("menuitem", { name: "Edit" }).press("Enter");
  await field(widget).press("ArrowUp");
  const areas = [inbox, widget].map((page) =>
    page.getByRole("textbox", { name: "Edit the message" })
  );
  for (const area of areas) await area.fill("Changed");
  await call(server, "PATCH", "/api/queue-settings", { token, body: { editMinutes: 0 } });
  for (const [i, area] of areas.entries()) {
    await area.press("Enter");
    const page = [inbox, widget][i]!;
    await page.getByText("Cannot edit the message: this is switched off here").waitFor();
    assert.equal(await area.inputValue(), "Changed");
    await area.press("Escape");
    await area.waitFor({ state: "detached" });
  }
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
      const { token } = await login(server);
      const stage = { server, inbox, widget, token };
      await formatting(stage);
      await editing(stage);
      await withdrawing(stage);
      await replying(stage);
      await reacting(stage);
      await tooLate(stage);
      for (const page of [inbox, widget]) assert.deepEqual(await violations(page), []);
      assert.deepEqual([...visitor.complaints, ...agent.complaints], []);
    }),
);
