/** Filters and saved views in the inbox, by keyboard. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { violations, visit } from "./support/browser.ts";
import { call, post } from "./support/http.ts";
import { assign, colleagues, newVisitor } from "./support/notifications.ts";
import { open, signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

/** Where pictures go, to be looked at; unset: nowhere. */
const SHOTS = Deno.env.get("PARLEY_TEST_SHOTS");

async function shoot(page: Page, name: string): Promise<void> {
  if (!SHOTS) return;
  const size = page.viewportSize()!;
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
      await page.setViewportSize(viewport);
      await page.screenshot({ path: `${SHOTS}/${name}-${scheme}-${viewport.width}.png` });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(size);
}

testWith(
  ["chromium"],
  "a filter is chosen, saved, shared, renamed and deleted with the keyboard",
  (t) =>
    withPages(async (url, server, browser) => {
      const [ada, bea] = await colleagues(server, "Bea");
      const write = async (text: string) => {
        const { sessionId, conversationId } = await newVisitor(server, ada!);
        await post(server, sessionId, conversationId, text);
        return { sessionId, conversationId };
      };
      const { conversationId: beas } = await write("Where is my invoice?");
      const { conversationId: other } = await write("Thank you");
      await assign(server, ada!, beas, bea!);
      const { page } = await visit(browser, { viewport: { width: 1440, height: 900 } });
      await signIn(page, url, ADMIN);
      const row = (id: string) => page.locator(`[data-row="${id}"]`);
      const gone = (id: string) => row(id).waitFor({ state: "detached" });
      const dialog = page.getByRole("dialog");
      const heading = (name: string) =>
        page.getByRole("heading", { level: 2, name, exact: true }).waitFor();
      const menuItem = async (name: string | RegExp) => {
        await page.keyboard.press("Shift+V");
        const item = page.getByRole("menu", { name: "Views" }).locator(".menu-item", {
          hasText: name,
        });
        await item.focus();
        return item;
      };

      await t.step("the filter", async () => {
        await row(other).waitFor();
        await page.keyboard.press("f");
        await dialog.getByLabel("Assigned to").selectOption("Bea");
        await dialog.getByLabel("Words in it").focus();
        await shoot(page, "filter");
        assert.deepEqual(await violations(page), []);
        await page.keyboard.press("Enter");
        await gone(other);
        await row(beas).waitFor();
        assert.ok(page.url().includes(`assignee=${bea!.id}`));
        await page.getByRole("button", { name: "End the filter: of Bea" }).waitFor();
      });

      await t.step("is saved for everybody, and shows its count", async () => {
        await menuItem("Save as a view");
        await page.keyboard.press("Enter");
        await dialog.getByLabel("Name").waitFor();
        await page.keyboard.press("Enter");
        await dialog.getByText("Enter a name.").waitFor();
        await dialog.getByLabel("Name").fill("Of Bea");
        await dialog.getByLabel("Who sees it").selectOption("Everybody");
        await shoot(page, "save-view");
        assert.deepEqual(await violations(page), []);
        await dialog.getByLabel("Name").press("Enter");
        await heading("Of Bea");
        const item = await menuItem("Of Bea");
        await item.getByText("1", { exact: true }).waitFor();
        await shoot(page, "views");
        assert.deepEqual(await violations(page), []);
        await page.keyboard.press("Escape");

        const bia = await visit(browser, { viewport: { width: 390, height: 844 } });
        await signIn(bia.page, url, {
          email: "bea@example.com",
          password: "a long enough password",
        });
        await bia.page.getByRole("button", { name: "Inbox", exact: true }).click();
        await bia.page.getByRole("menuitemradio", { name: "Of Bea" }).click();
        await bia.page.locator(`[data-row="${other}"]`).waitFor({ state: "detached" });
        await bia.page.getByRole("heading", { level: 2, name: "Of Bea" }).waitFor();
        // It is a colleague's: she may use it, and not change it.
        await bia.page.getByRole("button", { name: "Of Bea", exact: true }).click();
        await bia.page.getByRole("menuitem", { name: "Filter…" }).waitFor();
        assert.equal(await bia.page.getByRole("menuitem", { name: /Delete/ }).count(), 0);
        await bia.page.close();
      });

      await t.step("is renamed and deleted", async () => {
        await menuItem("Rename or share");
        await page.keyboard.press("Enter");
        await dialog.getByLabel("Name").fill("Bea’s");
        await dialog.getByLabel("Name").press("Enter");
        await heading("Bea’s");
        await menuItem("Delete the view");
        await page.keyboard.press("Enter");
        await dialog.getByRole("button", { name: "Delete view" }).click();
        await heading("Inbox");
        await menuItem(/^Inbox$/);
        await page.keyboard.press("Enter");
        await row(other).waitFor();
      });

      await t.step("what only the server knows comes and goes by itself", async () => {
        await open(page, `${url}/?q=invoice`);
        await row(beas).waitFor();
        assert.equal(await row(other).count(), 0);
        const later = await write("My invoice is wrong");
        await row(later.conversationId).waitFor();
        await open(page, `${url}/?waitingMinutes=5`);
        await page.getByText("Nothing fits the filter").waitFor();
        await page.getByRole("button", { name: "End the filter", exact: true }).click();
        await row(other).waitFor();
      });

      await t.step("mentions, with their count", async () => {
        await menuItem("Mentions");
        await page.keyboard.press("Enter");
        await page.getByText("Nobody mentions you here").waitFor();
        await call(server, "POST", `/api/conversations/${other}/messages`, {
          token: bea!.token,
          body: { content: "@ada can you help?", clientMessageId: "m1", isPrivate: true },
        });
        await row(other).waitFor();
        await heading("Mentions");
        const item = await menuItem("Mentions");
        await item.getByText("1", { exact: true }).waitFor();
        await page.keyboard.press("Escape");
      });
    }),
);
