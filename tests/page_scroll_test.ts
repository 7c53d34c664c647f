/** The dashboard's panes scroll, and the page around them never does. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { visit } from "./support/browser.ts";
import { cast, post } from "./support/http.ts";
import { open, signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

/** A phone, and a desktop at 200 % zoom. */
const SIZES = [{ width: 390, height: 844 }, { width: 700, height: 450 }];

/** How far the page and its shell are scrolled, and how much higher than the window the page is. */
const pageScroll = (page: Page) =>
  page.evaluate(() => {
    const document_ = document.scrollingElement!;
    return {
      excess: Math.max(0, document_.scrollHeight - innerHeight),
      page: document_.scrollTop,
      shell: document.querySelector(".shell")!.scrollTop,
    };
  });

/** Pages in the order in which their links are followed, each with its heading. */
const TOUR = [
  ["Rules", "/rules", "Rules"],
  ["Widgets", "/widgets", "Widgets"],
  ["Analytics", "/analytics", "Analytics"],
  ["Settings", "/settings/profile", "Profile"],
  ["People", "/settings/people", "People"],
  ["Labels", "/settings/labels", "Labels"],
  ["Notifications", "/settings/notifications", "Notifications"],
  ["WebSocket", "/settings/websocket", "WebSocket"],
  ["Business hours", "/settings/business-hours", "Business hours"],
  ["API keys", "/settings/api-keys", "API keys"],
  ["Audit log", "/settings/audit", "Audit log"],
  ["Inbox", "/", "Inbox"],
] as const;

/** Sixteen pages, by links and by the history: one document, and one connection. */
async function changesPages(page: Page, url: string, write: (text: string) => Promise<unknown>) {
  await page.setViewportSize({ width: 1440, height: 900 });
  await open(page, url);
  const opened: string[] = [];
  page.on("websocket", (socket) => opened.push(socket.url()));
  await page.evaluate(() => Object.assign(globalThis, { same: true }));
  const heading = (name: string) => page.getByRole("heading", { level: 1, name, exact: true });
  const isAt = async (path: string, name: string) => {
    await page.waitForURL(url + path);
    await heading(name).waitFor({ state: "attached" });
    assert.match(await page.title(), new RegExp(`${name} · Parley$`));
    await page.waitForFunction(
      (wanted) =>
        document.activeElement?.tagName === "H1" && document.activeElement.textContent === wanted,
      name,
    );
  };
  const go = async ([link, path, name]: typeof TOUR[number]) => {
    await page.getByRole("link", { name: link }).first().click();
    await isAt(path, name);
  };
  for (const stop of TOUR.slice(0, 8)) await go(stop);
  const top = () => page.evaluate(() => document.querySelector("main.page")!.scrollTop);
  await page.evaluate(() => document.querySelector("main.page")!.scrollTop = 120);
  assert.equal(await top(), 120);
  // What happens meanwhile arrives.
  await write("One line more");
  await page.getByRole("link", { name: "Inbox 1 unread" }).waitFor();
  for (const stop of TOUR.slice(8)) await go(stop);
  assert.equal(await page.locator("[data-row]").count(), 1);
  for (const [, path, name] of TOUR.slice(7, 11).toReversed()) {
    await page.goBack();
    await isAt(path, name);
  }
  assert.equal(await top(), 120, "the page is where it was left");
  await page.goForward();
  await isAt("/settings/business-hours", "Business hours");
  assert.deepEqual(opened, [], "no new connection");
  assert.equal(await page.evaluate(() => "same" in globalThis), true);

  // Signed out elsewhere.
  await page.context().clearCookies();
  await page.getByRole("link", { name: "People" }).click();
  await page.waitForURL(/\/login\?next=%2Fsettings%2Fpeople$/);
}

testWith(
  ["chromium"],
  "nothing outside the panes scrolls, on any page, and pages change within one document",
  () =>
    withPages(async (url, server, browser) => {
      const { visitor, conversation } = await cast(server);
      for (let i = 0; i < 30; i++) {
        await post(server, visitor.sessionId, conversation.id, `Line ${i}\nand another one`);
      }
      const { page } = await visit(browser);
      await signIn(page, url, ADMIN, "/widgets");
      await page.getByRole("link", { name: /Website/ }).click();
      await page.waitForURL("**/widgets/*");
      const widgetPath = new URL(page.url()).pathname;
      const paths = [
        "/",
        `/conversations/${conversation.id}`,
        "/analytics",
        "/rules",
        "/widgets",
        widgetPath,
        "/settings/profile",
        "/settings/people",
        "/settings/notifications",
        "/settings/labels",
        "/settings/teams",
        "/settings/canned-replies",
        "/settings/audit",
        "/settings/websocket",
      ];
      for (const path of paths) {
        await page.setViewportSize({ width: 1440, height: 900 });
        await open(page, `${url}${path}`);
        for (const viewport of SIZES) {
          await page.setViewportSize(viewport);
          // The rail, or the header of what covers it on a phone.
          for (const y of [20, viewport.height - 20]) {
            await page.mouse.move(20, y);
            await page.mouse.wheel(0, 600);
          }
          for (const key of ["End", "Space"]) await page.keyboard.press(key);
          // Two frames later a scroll would have happened.
          await page.evaluate(() =>
            new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
          );
          assert.deepEqual(
            await pageScroll(page),
            { excess: 0, page: 0, shell: 0 },
            `${path} at ${viewport.width} × ${viewport.height}`,
          );
        }
      }
      const write = (text: string) => post(server, visitor.sessionId, conversation.id, text);
      await changesPages(page, url, write);
    }, { LIMIT_CONNECTIONS_PER_MINUTE: "1000" }),
);
