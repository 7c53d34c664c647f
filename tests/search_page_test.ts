import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { visit, withBrowser } from "./support/browser.ts";
import { call, cast, openSession, post, widgetKey } from "./support/http.ts";
import { startProcess } from "./support/process.ts";
import { testWith } from "./support/services.ts";
import { ADMIN } from "./support/server.ts";
import { makeDataDir } from "./support/template.ts";

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    const runner = (globalThis as unknown as { axe: typeof import("axe-core") }).axe;
    const { violations } = await runner.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  });
}

const inView = (page: Page, id: string) =>
  page.locator(`[data-message="${id}"]`).evaluate((bubble) => {
    const { top, bottom } = bubble.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });

testWith(
  ["chromium"],
  "the search box finds, highlights, opens at the message, and says what it cannot find",
  async () => {
    const dataDir = await makeDataDir();
    const server = await startProcess({
      DATA_DIR: dataDir,
      ADMIN_EMAIL: ADMIN.email,
      ADMIN_PASSWORD: ADMIN.password,
      LIMIT_ROOM_BROADCASTS_PER_MINUTE: "10000",
    });
    try {
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

      await withBrowser(async (browser) => {
        const { page, complaints } = await visit(browser);
        const url = server.url.replace("127.0.0.1", "localhost");
        await page.goto(`${url}/login`);
        await page.getByLabel(/e-?mail/i).fill(ADMIN.email);
        await page.getByLabel("Password", { exact: true }).fill(ADMIN.password);
        await page.keyboard.press("Enter");
        await page.getByText("Maria López").first().waitFor();

        // The key leads into the box, half a word finds, and the find is marked.
        const box = page.getByRole("combobox");
        const focused = box.and(page.locator(":focus"));
        // Until the page is alive, no key does anything.
        while (await focused.count() === 0) await page.keyboard.press("/");
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

        // What lies too far back opens at the end, and that is said.
        await page.keyboard.press("/");
        await page.keyboard.type("gramoph");
        await option.getByText("gramophone").click();
        await page.getByText("too far back").waitFor();
        assert.equal(await page.getByRole("button", { name: "Mine" }).isVisible(), false);
        assert.equal(await page.locator(`[data-message="${ancient.id}"]`).count(), 0);

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
      });
    } finally {
      await server.kill("SIGTERM");
      await Deno.remove(dataDir, { recursive: true });
    }
  },
);
