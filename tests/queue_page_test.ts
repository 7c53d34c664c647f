/** The queue in the inbox: working it off with the keyboard. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { violations, visit, withBrowser } from "./support/browser.ts";
import { poll } from "./support/deadline.ts";
import { call, post } from "./support/http.ts";
import { colleagues, newVisitor } from "./support/notifications.ts";
import { open, reload, signIn } from "./support/pages.ts";
import { startProcess } from "./support/process.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { makeDataDir } from "./support/template.ts";
import type { Conversation } from "../protocol/model.ts";

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

testWith(["chromium"], "a queue is worked off with the keyboard", async (t) => {
  const dataDir = await makeDataDir();
  const server = await startProcess({
    DATA_DIR: dataDir,
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
  });
  const url = server.url.replace("127.0.0.1", "localhost");
  try {
    const [admin] = await colleagues({ url });
    const visitors: Awaited<ReturnType<typeof newVisitor>>[] = [];
    for (let i = 0; i < 8; i++) {
      const visitor = await newVisitor({ url }, admin!);
      await post({ url }, visitor.sessionId, visitor.conversationId, `Question ${i + 1}`);
      visitors.unshift(visitor);
    }
    const ids = visitors.map(({ conversationId }) => conversationId);
    const change = (id: string, body: unknown) =>
      call({ url }, "PATCH", `/api/conversations/${id}`, { token: admin!.token, body });
    const stored = async (id: string) => {
      const path = `/api/conversations/${id}`;
      return (await call<Conversation>({ url }, "GET", path, { token: admin!.token })).body;
    };
    await withBrowser(async (browser) => {
      const { page } = await visit(browser, { viewport: { width: 1440, height: 900 } });
      await signIn(page, url, ADMIN);
      const row = (id: string) => page.locator(`[data-row="${id}"]`);
      const isOpen = (id: string) =>
        page.locator(`[data-row="${id}"][aria-current="true"]`).waitFor();
      const isFocused = (id: string) =>
        page.waitForFunction(
          (wanted) => (document.activeElement as HTMLElement | null)?.dataset.row === wanted,
          id,
        );
      const toast = (text: string) => page.locator(".toast", { hasText: text });

      await t.step("E resolves and opens the next; J, K and E go on from there", async () => {
        await page.keyboard.press("j");
        await page.keyboard.press("j");
        await isFocused(ids[1]!);
        await page.keyboard.press("Enter");
        await isOpen(ids[1]!);
        await page.keyboard.press("e");
        await isOpen(ids[2]!);
        await isFocused(ids[2]!);
        await row(ids[1]!).waitFor({ state: "detached" });
        await page.keyboard.press("k");
        await isFocused(ids[0]!);
        await page.keyboard.press("j");
        await page.keyboard.press("j");
        await isFocused(ids[3]!);
        await toast("Conversation resolved.").getByRole("button", { name: "Undo" }).click();
        await isOpen(ids[1]!);
        await row(ids[1]!).waitFor();
        await poll(() => stored(ids[1]!), ({ status }) => status === "open", "the undo");
      });

      await t.step("S snoozes: tomorrow, or at any time", async () => {
        await row(ids[2]!).click();
        await isOpen(ids[2]!);
        await page.keyboard.press("Escape");
        await page.keyboard.press("s");
        await page.getByRole("menuitem", { name: "Tomorrow" }).waitFor();
        await shoot(page, "snooze-menu");
        await page.getByRole("menuitem", { name: "Tomorrow" }).click();
        await isOpen(ids[3]!);
        await toast("Conversation snoozed.").waitFor();
        const { status, snoozedUntil } = await stored(ids[2]!);
        assert.equal(status, "snoozed");
        assert.ok(Date.parse(snoozedUntil!) > Date.now());

        await page.keyboard.press("s");
        await page.getByRole("menuitem", { name: "Pick a date and time" }).click();
        const field = page.getByLabel("Date and time");
        await field.fill("2020-01-01T09:00");
        await page.getByRole("button", { name: "Snooze", exact: true }).click();
        await page.getByText("Pick a time in the future.").waitFor();
        await shoot(page, "snooze-dialog");
        assert.deepEqual(await violations(page), []);
        const year = new Date().getFullYear();
        await field.fill(`${year}-12-31T23:59`);
        await page.getByRole("button", { name: "Snooze", exact: true }).click();
        await row(ids[3]!).waitFor({ state: "detached" });
        await isOpen(ids[4]!);
      });

      await t.step(
        "what is snoozed is in a list of its own, and comes back by itself",
        async () => {
          await change(ids[2]!, {
            status: "snoozed",
            snoozedUntil: new Date(Date.now() + 5000).toISOString(),
          });
          await row(ids[2]!).waitFor();
          await row(ids[2]!).click();
          await page.locator(".thread-activity", { hasText: "The conversation is back" }).waitFor();
          await open(page, `${url}/?status=snoozed`);
          await row(ids[3]!).waitFor();
          await shoot(page, "snoozed-list");
          await row(ids[3]!).click();
          await page.locator(".thread-activity", {
            hasText: /snoozed the conversation until (31 Dec|Dec 31)/,
          })
            .waitFor();
        },
      );

      await t.step("a reply is sent and the conversation resolved in one step", async () => {
        await open(page, `${url}/conversations/${ids[4]}`);
        const box = page.getByRole("textbox", { name: /Reply to/ });
        await box.fill("That is done.");
        await page.getByRole("button", { name: "Send and resolve or snooze" }).waitFor();
        await shoot(page, "send-and");
        await page.keyboard.press("Control+Shift+Enter");
        await isOpen(ids[5]!);
        const { lastMessage } = await poll(
          () => stored(ids[4]!),
          ({ status }) => status === "resolved",
          "the resolution",
        );
        assert.equal(lastMessage?.preview, "That is done.");
        await page.getByRole("textbox", { name: /Reply to/ }).fill("Until tomorrow");
        await page.getByRole("button", { name: "Send and resolve or snooze" }).click();
        await page.getByRole("menuitem", { name: "Tomorrow" }).click();
        await row(ids[5]!).waitFor({ state: "detached" });
        assert.equal((await stored(ids[5]!)).lastMessage?.preview, "Until tomorrow");
      });

      await t.step("a conversation is marked as unread, and everything as read", async () => {
        await open(page, `${url}/conversations/${ids[6]}`);
        await page.keyboard.press("Escape");
        const count = row(ids[6]!).getByText("1 unread");
        await count.waitFor({ state: "detached" });
        await page.keyboard.press("u");
        await toast("Marked as unread.").waitFor();
        await count.waitFor({ state: "attached" });
        await row(ids[7]!).click();
        await isOpen(ids[7]!);
        assert.equal(await count.count(), 1);
        await row(ids[6]!).click();
        await count.waitFor({ state: "detached" });
        await post({ url }, visitors[0]!.sessionId, ids[0]!, "And this?");
        await row(ids[0]!).getByText("2 unread").waitFor({ state: "attached" });
        await page.getByRole("button", { name: "Mark all as read" }).click();
        await page.locator(".rows [data-unread]").first().waitFor({ state: "detached" });
        await page.waitForFunction(() => !document.title.startsWith("("));
      });

      await t.step("several are selected, changed and changed back", async () => {
        const more: string[] = [];
        for (let i = 0; i < 4; i++) {
          const visitor = await newVisitor({ url }, admin!);
          await post({ url }, visitor.sessionId, visitor.conversationId, `More ${i}`);
          more.unshift(visitor.conversationId);
        }
        await row(more[0]!).waitFor();
        await row(more[0]!).focus();
        await page.keyboard.press("x");
        await row(more[3]!).click({ modifiers: ["Shift"] });
        const bar = page.getByRole("toolbar", { name: "Selected conversations" });
        await bar.getByText("4 selected").waitFor();
        await shoot(page, "bulk");
        assert.deepEqual(await violations(page), []);
        await bar.getByRole("button", { name: "Assign" }).click();
        await page.getByRole("menuitem", { name: /\(you\)/ }).click();
        await toast("4 conversations assigned to ada.").waitFor();
        await bar.waitFor({ state: "detached" });
        assert.equal((await stored(more[2]!)).assignee?.userName, "ada");

        await row(more[1]!).focus();
        await page.keyboard.press("x");
        await page.keyboard.press("j");
        await page.keyboard.press("x");
        await bar.getByText("2 selected").waitFor();
        await page.keyboard.press("e");
        await row(more[2]!).waitFor({ state: "detached" });
        await poll(
          () => stored(more[1]!),
          ({ status }) => status === "resolved",
          "the bulk change",
        );
        await toast("2 conversations resolved.").getByRole("button", { name: "Undo" }).click();
        await row(more[2]!).waitFor();
        await row(more[1]!).waitFor();
        await row(more[1]!).focus();
        await page.keyboard.press("x");
        await bar.waitFor();
        await page.keyboard.press("Escape");
        await bar.waitFor({ state: "detached" });
        for (const id of more) await change(id, { status: "resolved" });
        await row(more[3]!).waitFor({ state: "detached" });
      });

      await t.step("priorities, and the orders of the list", async () => {
        await page.getByRole("button", { name: "Priority: None" }).click();
        await page.getByRole("menuitemradio", { name: "Urgent" }).click();
        await row(ids[6]!).getByText("Urgent priority").waitFor({ state: "attached" });
        await page.getByRole("button", { name: /^Order: Newest/ }).click();
        await shoot(page, "order-menu");
        await page.getByRole("menuitemradio", { name: "Priority", exact: true }).click();
        const isFirst = (id: string) =>
          page.waitForFunction(
            (wanted) => document.querySelector<HTMLElement>("[data-row]")?.dataset.row === wanted,
            id,
          );
        await isFirst(ids[6]!);
        assert.ok(page.url().includes("sort=priority"));
        const heightOf = async () => (await row(ids[6]!).boundingBox())!.height;
        const comfortable = await heightOf();
        await page.getByRole("button", { name: /^Order: Priority/ }).click();
        await page.getByRole("menuitemradio", { name: "Compact" }).click();
        await page.locator('.list-pane[data-density="compact"]').waitFor();
        assert.ok(await heightOf() < comfortable);
        await shoot(page, "compact");
        await reload(page);
        await page.locator('.list-pane[data-density="compact"]').waitFor();
        await page.getByRole("button", { name: /^Order: Priority/ }).click();
        await page.getByRole("menuitemradio", { name: "Longest waiting" }).click();
        await isFirst(ids[7]!);
        await shoot(page, "priorities");
        assert.deepEqual(await violations(page), []);
      });

      await t.step("who replies gets the conversation, as the settings say", async () => {
        await page.getByRole("textbox", { name: /Reply to/ }).fill("I take it");
        await page.keyboard.press("Enter");
        await page.locator(".thread-activity", { hasText: "took the conversation" }).waitFor();
        await open(page, `${url}/settings/queue`);
        const setting = page.getByLabel("Assign to the agent who replies");
        assert.equal(await setting.isChecked(), true);
        await shoot(page, "assignment");
        assert.deepEqual(await violations(page), []);
        await setting.click();
        await toast("Saved.").waitFor();
        const settings = await call({ url }, "GET", "/api/queue-settings", { token: admin!.token });
        assert.equal(settings.body["assignOnReply"], false);
      });
    });
  } finally {
    await server.kill("SIGTERM");
    await Deno.remove(dataDir, { recursive: true });
  }
});
