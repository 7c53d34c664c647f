/** The command palette, the keys of all actions, and where the focus is. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Conversation } from "../protocol/model.ts";
import { settle, violations, visit } from "./support/browser.ts";
import { poll } from "./support/deadline.ts";
import { call, post } from "./support/http.ts";
import { makeLabel } from "./support/labels.ts";
import { colleagues, newVisitor } from "./support/notifications.ts";
import { signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

/** Where pictures go, to be looked at; unset: nowhere. */
const SHOTS = Deno.env.get("PARLEY_TEST_SHOTS");

async function shoot(page: Page, name: string): Promise<void> {
  if (!SHOTS) return;
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
      await page.setViewportSize(viewport);
      await settle(page);
      await page.screenshot({ path: `${SHOTS}/${name}-${scheme}-${viewport.width}.png` });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize({ width: 1440, height: 900 });
}

testWith(
  ["chromium"],
  "everything is done by the palette or a key, and keys can be switched off",
  (t) =>
    withPages(async (url, server, browser) => {
      const [ada] = await colleagues(server);
      const visitors: Awaited<ReturnType<typeof newVisitor>>[] = [];
      for (const words of ["A chipped mug", "Where is my teapot?", "Do you ship to Iceland?"]) {
        const visitor = await newVisitor(server, ada!);
        await post(server, visitor.sessionId, visitor.conversationId, words);
        visitors.unshift(visitor);
      }
      await makeLabel(server, ada!.token, "Refund");
      await call(server, "POST", "/api/canned-responses", {
        token: ada!.token,
        body: {
          shortCode: "late",
          content: "It is on its way, {{agent.name}} says.",
          shared: true,
        },
      });
      const stored = async (id: string) =>
        (await call<Conversation>(server, "GET", `/api/conversations/${id}`, { token: ada!.token }))
          .body;
      const until = (id: string, is: (one: Conversation) => boolean, what: string) =>
        poll(() => stored(id), is, what);
      const first = visitors[0]!.conversationId;

      const { page, complaints } = await visit(browser);
      page.setDefaultTimeout(20_000);
      await signIn(page, url, ADMIN);
      await page.locator(`[data-row="${first}"]`).click();
      await page.getByRole("textbox", { name: /^Reply to/ }).and(page.locator(":focus")).waitFor();
      const box = page.getByRole("combobox", { name: "What do you want to do?" });
      const focusOn = (selector: string) => page.locator(`${selector}:focus`).waitFor();
      async function command(words: string, key = "Control+k") {
        await page.keyboard.press(key);
        await box.and(page.locator(":focus")).waitFor();
        await page.keyboard.type(words);
        await page.keyboard.press("Enter");
        await box.waitFor({ state: "detached" });
      }

      await t.step("it acts on the open conversation, and gives the focus back", async () => {
        await page.keyboard.press("Control+k");
        await box.waitFor();
        await shoot(page, "palette");
        assert.deepEqual(await violations(page), []);
        await page.keyboard.press("Escape");
        await focusOn("#composer");
        await command("assign me");
        await until(first, ({ assignee }) => assignee?.userId === ada!.id, "the assignee");
        await focusOn("#composer");
        await command("priority urg", "Meta+k");
        await until(first, ({ priority }) => priority === "urgent", "the priority");
        await command("label refund");
        await until(first, ({ labels }) => labels?.length === 1, "the label");
        await command("/late");
        const option = page.getByRole("option", { name: /late/ });
        await option.waitFor();
        await page.keyboard.press("Enter");
        await page.waitForFunction(() =>
          document.querySelector<HTMLTextAreaElement>("#composer")?.value.startsWith(
            "It is on its way",
          )
        );
        await command("snooze tomorrow");
        await until(first, ({ status }) => status === "snoozed", "the snooze");
        // The next conversation is open, and its row has the focus.
        await focusOn(`[data-row="${visitors[1]!.conversationId}"]`);
      });

      await t.step("it finds conversations and messages, here and on other pages", async () => {
        await page.keyboard.press("Control+k");
        await box.waitFor();
        await page.keyboard.type("chipped");
        await page.getByRole("option", { name: /chipped mug/ }).first().waitFor();
        await shoot(page, "palette-search");
        await page.keyboard.press("Enter");
        await page.waitForURL(`**/conversations/${visitors[2]!.conversationId}*`);
        await page.keyboard.press("Escape");
        await command("audit");
        await page.waitForURL("**/settings/audit");
        await focusOn("h1");
        await page.keyboard.press("Control+k");
        await box.waitFor();
        await page.keyboard.type("teapot");
        await page.getByRole("option", { name: /teapot/ }).first().waitFor();
        await page.keyboard.press("Enter");
        await page.waitForURL(`**/conversations/${visitors[1]!.conversationId}*`);
      });

      await t.step("every action has a key, in its tooltip and in the list", async () => {
        await page.getByRole("textbox", { name: /^Reply to/ }).waitFor();
        await page.keyboard.press("Escape");
        await page.keyboard.press("?");
        const list = page.getByRole("dialog", { name: "Keyboard shortcuts" });
        await list.waitFor();
        await shoot(page, "keys");
        assert.deepEqual(await violations(page), []);
        const listed = await list.locator("dd").allTextContents();
        const controls = await page.locator("button[aria-keyshortcuts]:visible").evaluateAll((
          all,
        ) =>
          all.map((one) => ({
            key: one.getAttribute("aria-keyshortcuts")!,
            tip: getComputedStyle(one, "::after").content,
          }))
        );
        assert.ok(controls.length > 15);
        for (const { key, tip } of controls) {
          assert.ok(tip.includes(key), `the tooltip of ${key} is ${tip}`);
          assert.ok(listed.some((keys) => keys.includes(key.replace("+", ""))), `${key} is listed`);
        }
        await page.keyboard.press("Escape");
        await list.waitFor({ state: "detached" });
        await page.keyboard.press("p");
        await page.getByRole("menuitemradio", { name: "High" }).click();
        await until(visitors[1]!.conversationId, ({ priority }) => priority === "high", "high");
        await page.keyboard.press("Shift+A");
        await page.getByRole("menu", { name: "Assign to" }).waitFor();
        await page.keyboard.press("Escape");
        await page.keyboard.press("2");
        await page.getByRole("button", { name: /^Unassigned/, pressed: true }).waitFor();
        await page.keyboard.press("3");
        await page.keyboard.press("g");
        await page.keyboard.press("a");
        await page.waitForURL("**/analytics");
        await focusOn("h1");
        await page.keyboard.press("g");
        await page.keyboard.press("i");
        await page.getByRole("button", { name: /^Unassigned/ }).waitFor();
      });

      await t.step("single keys are switched off on all devices, the palette stays", async () => {
        await page.keyboard.press("?");
        const list = page.getByRole("dialog", { name: "Keyboard shortcuts" });
        const saved = page.waitForResponse((response) =>
          response.url().endsWith("/api/preferences")
        );
        await list.getByRole("switch").click();
        await saved;
        await page.keyboard.press("Escape");
        await list.waitFor({ state: "detached" });
        const other = await visit(browser);
        await signIn(other.page, url, ADMIN);
        for (const one of [page, other.page]) {
          await one.keyboard.press("?");
          await one.keyboard.press("2");
          await one.keyboard.press("Control+k");
          await one.getByRole("combobox", { name: "What do you want to do?" }).waitFor();
          assert.equal(await one.getByRole("dialog").count(), 1);
          assert.equal(
            await one.getByRole("button", { name: /^Unassigned/, pressed: true }).count(),
            0,
          );
          await one.keyboard.press("Escape");
        }
        const tip = await page.getByRole("button", { name: "Notifications" })
          .evaluate((one) => getComputedStyle(one, "::after").content);
        assert.ok(!tip.includes("B"), tip);
        await command("keyboard shortcuts");
        await list.getByRole("switch").click();
        await page.keyboard.press("Escape");
      });

      await t.step("the focus is never lost", async () => {
        await page.locator(`[data-row="${visitors[1]!.conversationId}"]`).click();
        await page.getByRole("textbox", { name: /^Reply to/ }).and(page.locator(":focus"))
          .waitFor();
        // A control that leaves the page with what it did.
        const chip = await makeLabel(server, ada!.token, "Gone soon");
        await call(server, "PATCH", `/api/conversations/${visitors[1]!.conversationId}`, {
          token: ada!.token,
          body: { addLabels: [chip.id] },
        });
        await page.getByRole("button", { name: /Gone soon/ }).focus();
        await call(server, "DELETE", `/api/labels/${chip.id}`, { token: ada!.token });
        await page.getByRole("button", { name: /Gone soon/ }).waitFor({ state: "detached" });
        await page.waitForFunction(() => document.activeElement !== document.body);
        // A dialog gives the focus back to what opened it, however it is closed.
        await page.keyboard.press("s");
        await page.getByRole("menuitem", { name: "Pick a date and time" }).click();
        await page.getByRole("button", { name: "Cancel" }).click();
        await focusOn('[aria-keyshortcuts="S"]');
      });
      assert.deepEqual(complaints, []);
    }),
);
