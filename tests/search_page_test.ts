import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { violations, visit } from "./support/browser.ts";
import { call, cast, openSession, post, widgetKey } from "./support/http.ts";
import { signIn, withPages } from "./support/pages.ts";
import { testWith } from "./support/services.ts";
import { ADMIN } from "./support/server.ts";

const inView = (page: Page, id: string) =>
  page.locator(`[data-message="${id}"]`).evaluate((bubble) => {
    const { top, bottom } = bubble.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });

testWith(
  ["chromium"],
  "the search box finds, highlights, opens at the message, and says what it cannot find",
  () =>
    withPages(async (url, server, browser) => {
      const { agent, visitor, conversation } = await cast(server);
      const { token } = agent;
      const rename = (id: string, name: string) =>
        call(server, "PATCH", `/api/contacts/${id}`, { token, body: { name } });
      await rename(visitor.contact.id, "Maria López");
      const write = (content: string) => post(server, visitor.sessionId, conversation.id, content);
      const ancient = await write("an ancient gramophone");
      for (let i = 0; i < 400; i++) {
        await write(i === 320 ? "a blue <b>teapot</b> with a Größe" : `line ${i}`);
      }
      const other = await openSession(server, await widgetKey(server, token));
      await rename(other.contact.id, "Maria without words");

      const { page, complaints } = await visit(browser);
      await signIn(page, url, ADMIN);
      await page.getByText("Maria López").first().waitFor();

      // The key leads into the box, half a word finds, and the find is marked.
      const box = page.getByRole("combobox");
      const focused = box.and(page.locator(":focus"));
      await page.keyboard.press("/");
      await focused.waitFor();
      assert.equal(await box.inputValue(), "");
      await page.keyboard.type("teap gross");
      const option = page.getByRole("option");
      await option.getByText("teapot").waitFor();
      assert.equal(await option.count(), 1);
      assert.deepEqual(await option.locator("mark").allTextContents(), ["teap", "Größ"]);
      assert.equal(await option.locator("b").count(), 0);
      assert.deepEqual(await violations(page), []);

      // Enter opens the conversation there, two pages of history up, and shows which it is.
      await page.keyboard.press("Enter");
      await page.waitForURL(`**/conversations/${conversation.id}**`);
      const found = page.locator("[data-message]", { hasText: "teapot" });
      await found.and(page.locator(":focus")).waitFor();
      const id = (await found.getAttribute("data-message"))!;
      assert.ok(await inView(page, id));

      // In this conversation alone: from each match to the one before, and back into the thread.
      await page.keyboard.press("Control+f");
      const find = page.getByRole("textbox", { name: "Find in this conversation" });
      await find.and(page.locator(":focus")).waitFor();
      await page.keyboard.type("amoph");
      await page.getByText("1 of 1", { exact: true }).waitFor();
      await page.locator(`[data-message="${ancient.id}"]`).waitFor();
      await find.fill("eapo");
      await page.locator(`[data-message="${id}"][data-found]`).waitFor();
      await find.and(page.locator(":focus")).waitFor();
      assert.deepEqual(await violations(page), []);
      await find.fill("line 39");
      await page.getByText("1 of 11", { exact: true }).waitFor();
      await page.keyboard.press("Enter");
      await page.getByText("2 of 11", { exact: true }).waitFor();
      await page.keyboard.press("Escape");
      await page.locator("[data-message]:focus", { hasText: "line 398" }).waitFor();

      // What lies further back does so, too.
      await page.keyboard.press("/");
      await page.keyboard.type("gramoph");
      await option.getByText("gramophone").click();
      await page.locator(`[data-message="${ancient.id}"]:focus`).waitFor();
      assert.equal(await page.getByRole("button", { name: "Mine" }).isVisible(), false);

      // Arrows choose among people and conversations; a conversation is not listed twice.
      await box.fill("maria");
      await option.first().waitFor();
      await page.getByRole("group", { name: "People" }).waitFor();
      assert.equal(await option.count(), 2);
      await box.press("ArrowDown");
      const chosen = page.getByRole("option", { selected: true });
      await chosen.getByText("without words").waitFor();
      assert.equal(
        await box.getAttribute("aria-activedescendant"),
        await chosen.getAttribute("id"),
      );
      await box.press("ArrowUp");
      await chosen.getByText("López").waitFor();

      // More than the first few of a kind comes when asked for.
      await box.fill("line");
      await option.getByText("More messages").waitFor();
      assert.equal(await option.count(), 7);
      await option.getByText("More messages").click();
      await option.getByText("line 380", { exact: true }).waitFor();
      assert.equal(await option.count(), 27);

      await box.fill("nothingofthatkind");
      await page.getByRole("heading", { name: "Nothing found" }).waitFor();
      assert.deepEqual(await violations(page), []);

      // An error is told and can be overcome.
      await page.route("**/api/search**", (route) => route.abort());
      await box.fill("teapot");
      await page.getByRole("heading", { name: "The search failed" }).waitFor();
      await page.unroute("**/api/search**");
      await page.getByRole("button", { name: "Try again" }).click();
      await option.getByText("teapot").waitFor();

      // Escape ends the search, and the list is back.
      await box.press("Escape");
      await page.locator(".rows [data-row]").first().waitFor();
      assert.equal(await box.inputValue(), "");
      const noise = /ERR_FAILED/;
      assert.deepEqual(complaints.filter((one) => !noise.test(one)), []);
    }, { LIMIT_ROOM_BROADCASTS_PER_MINUTE: "10000" }),
);
