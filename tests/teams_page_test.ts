/** Teams in the dashboard: made in the settings, and given conversations in the inbox. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Conversation } from "../protocol/model.ts";
import type { QueueSettings } from "../protocol/queue.ts";
import { violations, visit } from "./support/browser.ts";
import { poll } from "./support/deadline.ts";
import { call, post } from "./support/http.ts";
import { colleagues, newVisitor } from "./support/notifications.ts";
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
  "a team is made, gets conversations by keyboard and in bulk, and is deleted",
  (t) =>
    withPages(async (url, server, browser) => {
      const [ada] = await colleagues(server, "Grace", "Linus");
      const ids: string[] = [];
      for (let i = 0; i < 3; i++) {
        const visitor = await newVisitor(server, ada!);
        await post(server, visitor.sessionId, visitor.conversationId, `Question ${i}`);
        ids.unshift(visitor.conversationId);
      }
      const stored = async (id: string) => {
        const path = `/api/conversations/${id}`;
        return (await call<Conversation>(server, "GET", path, { token: ada!.token })).body;
      };
      const { page } = await visit(browser, { viewport: { width: 1440, height: 900 } });
      await signIn(page, url, ADMIN);
      const row = (id: string) => page.locator(`[data-row="${id}"]`);
      const toast = (text: string) => page.locator(".toast", { hasText: text });

      await t.step("in the settings, with errors beside the fields", async () => {
        await open(page, `${url}/settings/teams`);
        await page.getByText("No teams yet").waitFor();
        await page.getByRole("button", { name: "New team" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByRole("button", { name: "Add team" }).click();
        await dialog.getByText("Enter a name.").waitFor();
        await dialog.getByLabel("Name").fill("Billing");
        await dialog.getByLabel("Who gets a waiting conversation").selectOption("least_busy");
        await dialog.getByLabel("Open conversations per member (optional)").fill("none");
        await dialog.getByRole("button", { name: "Add team" }).click();
        await dialog.getByText("Enter a number from 1 to 1000, or nothing.").waitFor();
        await dialog.getByLabel("Open conversations per member (optional)").fill("5");
        await dialog.getByLabel("Grace").check();
        await dialog.getByLabel("Linus").check();
        await shoot(page, "team-form");
        assert.deepEqual(await violations(page), []);
        await dialog.getByRole("button", { name: "Add team" }).click();
        await page.getByText("Grace, Linus").waitFor();
        await page.getByText("Whoever has the fewest open conversations, at most 5 each")
          .waitFor();
        await shoot(page, "teams");
        assert.deepEqual(await violations(page), []);
        await page.getByRole("button", { name: "Edit Billing" }).click();
        await dialog.getByLabel("Name").fill("Invoices");
        await dialog.getByRole("button", { name: "Save" }).click();
        await page.getByRole("link", { name: "Invoices" }).waitFor();
      });

      await t.step("in the inbox, to one conversation and to several, and back", async () => {
        await open(page, `${url}/conversations/${ids[0]}`);
        await page.getByRole("button", { name: "Assign to me" }).click();
        await toast("Assigned to ada.").waitFor();
        await page.getByRole("button", { name: "Assigned to You" }).focus();
        await page.keyboard.press("Enter");
        const item = page.getByRole("menuitemradio", { name: "Invoices" });
        await item.waitFor();
        await shoot(page, "team-menu");
        await item.focus();
        await page.keyboard.press("Enter");
        await toast("Given to Invoices.").waitFor();
        await row(ids[0]!).getByText("Invoices").waitFor();
        await page.locator(".thread-activity", { hasText: "to the team Invoices" }).waitFor();
        // It is not hers any more: she is no member.
        assert.equal((await stored(ids[0]!)).assignee, null);
        await toast("Given to Invoices.").getByRole("button", { name: "Undo" }).click();
        await row(ids[0]!).getByText("Invoices").waitFor({ state: "detached" });
        await poll(
          () => stored(ids[0]!),
          ({ assignee }) => assignee?.userName === "ada",
          "the undo",
        );

        await call(server, "PATCH", `/api/conversations/${ids[1]}`, {
          token: ada!.token,
          body: { assigneeId: ada!.id },
        });
        await row(ids[1]!).getByText("You").waitFor();
        await row(ids[1]!).focus();
        await page.keyboard.press("x");
        await page.keyboard.press("j");
        await page.keyboard.press("x");
        const bar = page.getByRole("toolbar", { name: "Selected conversations" });
        await bar.getByText("2 selected").waitFor();
        await bar.getByRole("button", { name: "Assign" }).click();
        await page.getByRole("menuitem", { name: "Invoices" }).click();
        await toast("2 conversations given to Invoices.").waitFor();
        await row(ids[2]!).getByText("Invoices").waitFor();
        assert.equal((await stored(ids[1]!)).assignee, null);
        await shoot(page, "team-rows");
        await open(page, `${url}/settings/teams`);
        await page.getByRole("link", { name: "Invoices" }).click();
        await row(ids[1]!).waitFor();
        await row(ids[2]!).waitFor();
        assert.equal(await row(ids[0]!).count(), 0);
      });

      await t.step("new conversations, and those of who is away", async () => {
        await open(page, `${url}/settings/queue`);
        await page.getByLabel("Belong to the team").selectOption("Invoices");
        await toast("Saved.").waitFor();
        await page.getByLabel("Unassign conversations that wait for their reply")
          .selectOption("After 15 minutes");
        const settings = async () =>
          (await call<QueueSettings>(server, "GET", "/api/queue-settings", { token: ada!.token }))
            .body;
        const now = await poll(
          settings,
          ({ handBackAfterMinutes }) => handBackAfterMinutes === 15,
          "the settings",
        );
        assert.ok(now.teamId);
        await shoot(page, "assignment");
        assert.deepEqual(await violations(page), []);
      });

      await t.step("after a question", async () => {
        await open(page, `${url}/settings/teams`);
        await page.getByRole("button", { name: "Delete Invoices" }).click();
        await page.getByRole("button", { name: "Delete team" }).click();
        await page.getByText("No teams yet").waitFor();
        assert.equal((await stored(ids[1]!)).teamId, undefined);
      });
    }),
);
