import assert from "node:assert/strict";
import pg from "pg";
import type { Browser, Page } from "playwright-core";
import { visit, withBrowser } from "./support/browser.ts";
import { poll } from "./support/deadline.ts";
import { post } from "./support/http.ts";
import { type Colleague, colleagues, newVisitor } from "./support/notifications.ts";
import { open, signIn } from "./support/pages.ts";
import { startProcess } from "./support/process.ts";
import { ADMIN, makeDatabase } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { makeTempDir } from "./support/temp_dir.ts";

/** Where pictures go, to be looked at; unset: nowhere. */
const SHOTS = Deno.env.get("PARLEY_TEST_SHOTS");

interface Inbox {
  url: string;
  admin: Colleague;
  /** A session on the database that is no part of Parley. */
  database: pg.Client;
  browser: Browser;
}

/** Visitors with a message each, the first one written to first. */
async function visitors(server: { url: string }, admin: Colleague, count: number) {
  const all = [];
  for (let i = 0; i < count; i++) {
    const visitor = await newVisitor(server, admin);
    await post(server, visitor.sessionId, visitor.conversationId, `Question ${i + 1}`);
    all.push(visitor);
  }
  return all;
}

async function withInbox(fn: (inbox: Inbox) => Promise<void>): Promise<void> {
  const made = await makeDatabase();
  const dataDir = await makeTempDir();
  const server = await startProcess({
    DATA_DIR: dataDir,
    DATABASE_URL: made.url,
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
  });
  const database = new pg.Client({ connectionString: made.url });
  await database.connect();
  try {
    const url = server.url.replace("127.0.0.1", "localhost");
    const [admin] = await colleagues({ url });
    await withBrowser((browser) => fn({ url, admin: admin!, database, browser }));
  } finally {
    await database.end();
    await server.kill("SIGTERM");
    await made.drop();
    await Deno.remove(dataDir, { recursive: true });
  }
}

async function shoot(page: Page, name: string): Promise<void> {
  if (!SHOTS) return;
  const size = page.viewportSize();
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
      await page.setViewportSize(viewport);
      await page.screenshot({ path: `${SHOTS}/${name}-${scheme}-${viewport.width}.png` });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (size) await page.setViewportSize(size);
}

testWith(
  ["postgres", "chromium"],
  "a deleted conversation is said in words with a way on, a nameless contact has a name",
  () =>
    withInbox(async ({ url, admin, database, browser }) => {
      const [first, second] = await visitors({ url }, admin, 2);
      await database.query("update contacts set name = '' where name = $1", [first!.name]);
      const { page } = await visit(browser);
      await signIn(page, url, ADMIN);
      // What the page was rendered with is not downloaded again.
      const read: string[] = [];
      page.on("response", (response) => {
        const { pathname } = new URL(response.url());
        if (/^\/api\/(conversations|labels)$/.test(pathname)) {
          read.push(`${pathname} ${response.status()}`);
        }
      });
      await open(page, url);
      await poll(
        () => Promise.resolve(read),
        (all) => new Set(all).size >= 2,
        "both lists are read",
      );
      assert.deepEqual([...new Set(read)].sort(), ["/api/conversations 304", "/api/labels 304"]);
      const row = page.locator(`[data-row="${first!.conversationId}"]`);
      assert.equal(await row.locator(".row-name").innerText(), first!.name);
      await open(page, `${url}/conversations/${first!.conversationId}`);
      await page.getByRole("heading", { level: 2, name: first!.name }).waitFor();
      await shoot(page, "nameless");

      const id = second!.conversationId;
      await open(page, `${url}/conversations/${id}`);
      // Live, so that the page has joined it.
      await post({ url }, second!.sessionId, id, "Hello?");
      await page.locator(".bubble", { hasText: "Hello?" }).waitFor();
      await database.query("delete from conversations where id = $1", [id]);
      await page.getByRole("textbox", { name: `Reply to ${second!.name}` }).fill("Are you there?");
      await page.keyboard.press("Enter");
      const failed = page.getByRole("alert").filter({ hasText: "Not sent." });
      await failed.getByText("This conversation was deleted.").waitFor();
      assert.ok(!(await failed.innerText()).includes(id));
      await shoot(page, "deleted");
      await failed.getByRole("button", { name: "Back to the inbox" }).click();
      await page.getByText("Pick a conversation").waitFor();
      await page.locator(`[data-row="${id}"]`).waitFor({ state: "detached" });
    }),
);

testWith(
  ["postgres", "chromium"],
  "the selected row stays in view when it moves, and only if it was in view",
  () =>
    withInbox(async ({ url, admin, browser }) => {
      const all = await visitors({ url }, admin, 14);
      const [oldest, next] = all as [typeof all[0], typeof all[0]];
      const { page } = await visit(browser, { viewport: { width: 1440, height: 600 } });
      // The clock of this device is wrong, which nothing on the page may show.
      await page.addInitScript(() => {
        const { now } = Date;
        Date.now = () => now() + 20 * 60_000;
      });
      let refreshes = 0;
      page.on("request", (request) => {
        if (request.url().endsWith("/api/auth/refresh")) refreshes++;
      });
      await signIn(page, url, ADMIN);
      const row = (id: string) => page.locator(`[data-row="${id}"]`);
      const isInView = (id: string) =>
        row(id).evaluate((element) => {
          const box = element.getBoundingClientRect();
          const list = element.closest(".list-scroll")!.getBoundingClientRect();
          return box.top >= list.top - 1 && box.bottom <= list.bottom + 1;
        });
      const isFirst = (id: string) =>
        page.waitForFunction(
          (wanted) => document.querySelector<HTMLElement>("[data-row]")?.dataset.row === wanted,
          id,
        );

      // The list is of other conversations, or of the newest ones; the count is of all.
      for (const path of ["/?view=mine", "/analytics"]) {
        const html = await (await page.request.get(url + path)).text();
        assert.match(html, /class="badge"[^>]*>(?:<[^>]*>|\s)*14\b/, path);
      }
      await row(oldest.conversationId).click();
      await page.getByRole("heading", { level: 2, name: oldest.name }).waitFor();
      assert.ok(!await isInView(all.at(-1)!.conversationId), "the list is scrolled");
      await post({ url }, oldest.sessionId, oldest.conversationId, "Once more");
      await isFirst(oldest.conversationId);
      assert.ok(await isInView(oldest.conversationId), "it moved to the top, and so did the list");

      await row(next.conversationId).scrollIntoViewIfNeeded();
      assert.ok(!await isInView(oldest.conversationId), "the list is scrolled again");
      await post({ url }, next.sessionId, next.conversationId, "And I");
      await isFirst(next.conversationId);
      assert.ok(!await isInView(oldest.conversationId), "the list stays where the agent reads");
      const ages = await page.locator("[data-row] time").allInnerTexts();
      assert.deepEqual(ages.filter((age) => !/^(now|[1-9]m)$/.test(age)), []);
      assert.ok(refreshes <= 2, `${refreshes} refreshes`);
    }),
);

testWith(
  ["postgres", "chromium"],
  "on a phone the count is beside its icon, and the current settings page is in view",
  () =>
    withInbox(async ({ url, admin, database, browser }) => {
      const [visitor] = await visitors({ url }, admin, 1);
      await database.query("update conversations set inbound_count = 250 where id = $1", [
        visitor!.conversationId,
      ]);
      const { page } = await visit(browser);
      await signIn(page, url, ADMIN);
      await page.getByText("99+").first().waitFor();
      await shoot(page, "badge");
      await page.setViewportSize({ width: 390, height: 844 });
      const link = page.getByRole("link", { name: /^Inbox/ });
      const icon = (await link.locator("svg").boundingBox())!;
      const badge = (await link.locator(".badge").boundingBox())!;
      assert.ok(badge.x >= icon.x + icon.width / 2, "at most a corner of the icon is covered");

      await page.setViewportSize({ width: 1440, height: 900 });
      await open(page, `${url}/settings/websocket`);
      await page.setViewportSize({ width: 390, height: 844 });
      await page.waitForFunction(() => {
        const { left, right } = document.querySelector(".settings-nav [aria-current]")!
          .getBoundingClientRect();
        return left >= 0 && right <= innerWidth;
      });
      await shoot(page, "settings");
    }),
);

testWith(
  ["postgres", "chromium"],
  "what is written as a note never becomes a reply, and neither is lost",
  () =>
    withInbox(async ({ url, admin, browser }) => {
      const [visitor] = await visitors({ url }, admin, 1);
      const { page } = await visit(browser);
      await signIn(page, url, ADMIN, `/conversations/${visitor!.conversationId}`);
      const reply = page.getByRole("textbox", { name: `Reply to ${visitor!.name}` });
      const note = page.getByRole("textbox", { name: "Note only your team can see" });
      await reply.fill("We will look");
      await page.keyboard.press("Escape");
      await page.keyboard.press("n");
      await note.waitFor();
      assert.equal(await note.inputValue(), "");
      await note.fill("He is always late with his payments");

      // By button, and by key.
      await page.getByRole("button", { name: "Reply", exact: true }).click();
      assert.equal(await reply.inputValue(), "We will look");
      await page.getByRole("button", { name: "Note", exact: true }).click();
      assert.equal(await note.inputValue(), "He is always late with his payments");
      await page.keyboard.press("Escape");
      await page.keyboard.press("r");
      await reply.waitFor();
      await reply.press("Enter");
      await page.locator(".bubble", { hasText: "We will look" }).waitFor();
      assert.equal(await reply.inputValue(), "");
      assert.equal(await page.locator(".bubble", { hasText: "payments" }).count(), 0);

      // Both outlive the page.
      await reply.fill("And a second one");
      await open(page, page.url());
      await page.waitForFunction(() =>
        document.querySelector<HTMLTextAreaElement>("#composer")?.value === "And a second one"
      );
      await page.getByRole("button", { name: "Note", exact: true }).click();
      assert.equal(await note.inputValue(), "He is always late with his payments");
      await note.press("Enter");
      await page.locator(".bubble", { hasText: "payments" }).waitFor();
      assert.equal(await note.inputValue(), "");
      await page.getByRole("button", { name: "Reply", exact: true }).click();
      assert.equal(await reply.inputValue(), "And a second one");
    }),
);
