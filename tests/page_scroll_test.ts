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

testWith(
  ["chromium"],
  "nothing outside the panes scrolls, on any page",
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
    }, { LIMIT_CONNECTIONS_PER_MINUTE: "1000" }),
);
