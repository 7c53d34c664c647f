/** The queue in the inbox: working it off with the keyboard. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { violations, visit, withBrowser } from "./support/browser.ts";
import { call, post } from "./support/http.ts";
import { colleagues, newVisitor } from "./support/notifications.ts";
import { open, signIn } from "./support/pages.ts";
import { startProcess } from "./support/process.ts";
import { ADMIN, makeDatabase } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { makeTempDir } from "./support/temp_dir.ts";
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

testWith(["postgres", "chromium"], "a queue is worked off with the keyboard", async (t) => {
  const made = await makeDatabase();
  const dataDir = await makeTempDir();
  const server = await startProcess({
    DATA_DIR: dataDir,
    DATABASE_URL: made.url,
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
        assert.equal((await stored(ids[1]!)).status, "open");
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
            snoozedUntil: new Date(Date.now() + 1500).toISOString(),
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
        const { status, lastMessage } = await stored(ids[4]!);
        assert.deepEqual([status, lastMessage?.preview], ["resolved", "That is done."]);
        await page.getByRole("textbox", { name: /Reply to/ }).fill("Until tomorrow");
        await page.getByRole("button", { name: "Send and resolve or snooze" }).click();
        await page.getByRole("menuitem", { name: "Tomorrow" }).click();
        await row(ids[5]!).waitFor({ state: "detached" });
        assert.equal((await stored(ids[5]!)).lastMessage?.preview, "Until tomorrow");
      });
    });
  } finally {
    await server.kill("SIGTERM");
    await made.drop();
    await Deno.remove(dataDir, { recursive: true });
  }
});
