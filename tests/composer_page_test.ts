import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import type { DraftList } from "../protocol/drafts.ts";
import { settle, violations, visit } from "./support/browser.ts";
import { poll } from "./support/deadline.ts";
import { call, post } from "./support/http.ts";
import { type Colleague, colleagues, newVisitor } from "./support/notifications.ts";
import { open, signIn, withPages } from "./support/pages.ts";
import { ADMIN, type TestServer } from "./support/server.ts";
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
      await settle(page);
      await page.screenshot({ path: `${SHOTS}/${name}-${scheme}-${viewport.width}.png` });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(size);
}

interface Stage {
  url: string;
  server: TestServer;
  browser: Browser;
  ada: Colleague;
}

/** A visitor with one message, and the address of their conversation. */
async function ask({ server, ada, url }: Stage, question = "Where is my parcel?") {
  const visitor = await newVisitor(server, ada);
  await post(server, visitor.sessionId, visitor.conversationId, question);
  return { ...visitor, address: `${url}/conversations/${visitor.conversationId}` };
}

const reply = (page: Page) => page.getByRole("textbox", { name: /^Reply to/ });

async function drafts({ url, server, browser, ada }: Stage) {
  const stage = { url, server, browser, ada };
  const visitor = await ask(stage);
  const other = await ask(stage, "Anybody there?");
  const saved = async () => {
    const { body } = await call<DraftList>(server, "GET", "/api/drafts", { token: ada.token });
    return body.items.map(({ content }) => content).sort();
  };
  const untilSaved = (...contents: string[]) =>
    poll(saved, (found) => JSON.stringify(found) === JSON.stringify(contents), "saved drafts");
  const [one, two] = [await visit(browser), await visit(browser)];
  await signIn(one.page, url, ADMIN, new URL(visitor.address).pathname);
  await signIn(two.page, url, ADMIN);
  await reply(one.page).fill("It is on its way");
  await untilSaved("It is on its way");
  // Marked in the list of the other device, and there to go on with.
  const row = two.page.locator(`[data-row="${visitor.conversationId}"]`);
  await row.getByText("Draft: It is on its way").waitFor();
  await shoot(two.page, "draft-row");
  await row.click();
  await reply(two.page).waitFor();
  assert.equal(await reply(two.page).inputValue(), "It is on its way");
  // Rendered with it, after a reload.
  await one.page.route("**/api/drafts?*", (route) => route.abort());
  await one.page.reload();
  assert.equal(await reply(one.page).inputValue(), "It is on its way");
  await one.page.unroute("**/api/drafts?*");
  await open(one.page, one.page.url());

  // Both go on at once: no text is lost, and the agent chooses.
  await one.context.setOffline(true);
  await reply(one.page).fill("Sorry for the wait");
  await reply(two.page).fill("It arrives tomorrow");
  await untilSaved("It arrives tomorrow");
  await one.context.setOffline(false);
  await one.page.getByText("You wrote something else on another device:").waitFor();
  assert.equal(await reply(one.page).inputValue(), "Sorry for the wait");
  assert.deepEqual(await violations(one.page), []);
  await shoot(one.page, "draft-conflict");
  await one.page.getByRole("button", { name: "Keep both" }).click();
  await untilSaved("Sorry for the wait\nIt arrives tomorrow");
  await two.page.waitForFunction(() =>
    document.querySelector<HTMLTextAreaElement>("#composer")?.value.startsWith("Sorry")
  );
  // Sent from one device, it is gone on both.
  await reply(two.page).press("Enter");
  await untilSaved();
  await one.page.waitForFunction(() =>
    document.querySelector<HTMLTextAreaElement>("#composer")?.value === ""
  );
  await row.getByText("Draft:").waitFor({ state: "detached" });

  // What is not saved yet is saved when the page is left; after a sign-out the browser has nothing.
  await open(one.page, other.address);
  await reply(one.page).fill("One moment");
  await one.page.getByRole("button", { name: /^Account of/ }).click();
  await one.page.getByRole("menuitem", { name: "Sign out" }).click();
  await one.page.waitForURL(/\/login/);
  await untilSaved("One moment");
  const kept = await one.page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }])
  );
  assert.ok(!kept.includes("moment"), kept);
  await two.page.locator(`[data-row="${other.conversationId}"]`).getByText("Draft: One moment")
    .waitFor();
  const remark = /ERR_INTERNET_DISCONNECTED|ERR_FAILED|status of (401|412)/;
  for (const { complaints } of [one, two]) {
    assert.deepEqual(complaints.filter((text) => !remark.test(text)), []);
  }
  await one.context.close();
  await two.context.close();
}

testWith(
  ["chromium"],
  "the composer, with all that helps to write",
  (t) =>
    withPages(async (url, server, browser) => {
      const [ada] = await colleagues(server);
      const stage: Stage = { url, server, browser, ada: ada! };
      await t.step("drafts are on all devices, and none is lost", () => drafts(stage));
    }),
);
