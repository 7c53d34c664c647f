import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { violations, visit } from "./support/browser.ts";
import { poll } from "./support/deadline.ts";
import { call, post } from "./support/http.ts";
import {
  assign,
  type Colleague,
  colleagues,
  kinds,
  newVisitor,
  told,
  untilTold,
} from "./support/notifications.ts";
import { open, reload, signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

interface Staff {
  url: string;
  ada: Colleague;
  bea: Colleague;
}

function withStaff(fn: (staff: Staff, browser: Browser) => Promise<void>): Promise<void> {
  return withPages(async (url, _server, browser) => {
    const [ada, bea] = await colleagues({ url }, "Bea Moor");
    await fn({ url, ada: ada!, bea: bea! }, browser);
  });
}

/** Counts what would be heard and shown outside of the page, which is in the background. */
async function listenOutside(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const outside = { shown: [] as string[], tones: 0 };
    Object.assign(globalThis, { outside });
    class Shown {
      static permission = "granted";
      onclick: (() => void) | null = null;
      constructor(title: string) {
        outside.shown.push(title);
      }
      close() {}
    }
    Object.assign(globalThis, { Notification: Shown });
    const { createOscillator } = AudioContext.prototype;
    AudioContext.prototype.createOscillator = function () {
      outside.tones++;
      return createOscillator.call(this);
    };
    Document.prototype.hasFocus = () => false;
  });
}

const outside = (page: Page) =>
  page.evaluate(() =>
    (globalThis as unknown as { outside: { shown: string[]; tones: number } }).outside
  );

const bell = (page: Page) => page.getByRole("button", { name: /^Notifications/ });
const panel = (page: Page) => page.getByRole("dialog", { name: "Notifications" });
const badge = (page: Page, unread: number) =>
  page.getByRole("button", { name: `Notifications ${unread} unread` });
const noBadge = (page: Page) => page.getByRole("button", { name: "Notifications", exact: true });

testWith(
  ["chromium"],
  "the bell tells, opens, marks, and is used by keyboard",
  () =>
    withStaff(async ({ url, ada }, browser) => {
      const { page, complaints } = await visit(browser);
      await signIn(page, url, ADMIN);
      await bell(page).click();
      await panel(page).getByText("No notifications").waitFor();
      await page.keyboard.press("Escape");
      await panel(page).waitFor({ state: "detached" });
      assert.equal(await bell(page).evaluate((el) => el === document.activeElement), true);

      const visitors = [];
      for (const text of ["First question", "Second question", "Third question"]) {
        const visitor = await newVisitor({ url }, ada);
        await post({ url }, visitor.sessionId, visitor.conversationId, text);
        visitors.push(visitor);
      }
      await badge(page, 3).waitFor();
      await page.mouse.click(700, 4);
      await page.keyboard.press("b");
      await panel(page).waitFor();
      assert.deepEqual(await violations(page), []);
      const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
      assert.equal(await focused(), "Notifications");
      await page.keyboard.press("ArrowDown");
      assert.match(await focused(), /Third question/);
      await page.keyboard.press("End");
      assert.match(await focused(), /First question/);
      await page.keyboard.press("ArrowUp");
      assert.match(await focused(), /Second question/);

      // One by one: the focus stays in the row.
      const second = panel(page).getByRole("listitem").filter({ hasText: "Second question" });
      await second.getByRole("button", { name: "Mark as read" }).click();
      await badge(page, 2).waitFor();
      assert.match(await focused(), /Second question/);

      // Opening leads there without loading a page, and reading it reads the notification.
      await page.evaluate(() => Object.assign(globalThis, { same: true }));
      await page.keyboard.press("ArrowUp");
      await page.keyboard.press("Enter");
      await page.waitForURL(`${url}/conversations/${visitors[2]!.conversationId}`);
      await panel(page).waitFor({ state: "detached" });
      assert.equal(await page.evaluate(() => "same" in globalThis), true);
      await badge(page, 1).waitFor();
      await page.getByLabel("Messages", { exact: true }).getByText("Third question").waitFor();

      // What is new while it is open moves to the top; all at once; and it is so after a reload.
      await bell(page).click();
      const late = await newVisitor({ url }, ada);
      await post({ url }, late.sessionId, late.conversationId, "Late question");
      await panel(page).getByRole("listitem").first().getByText("Late question").waitFor();
      await panel(page).getByRole("button", { name: "Mark all as read" }).click();
      await noBadge(page).waitFor();
      await untilTold({ url }, ada, ({ unread }) => unread === 0);
      await reload(page);
      await noBadge(page).waitFor();
      assert.deepEqual(complaints, []);

      // Read elsewhere, it is read here.
      const other = await newVisitor({ url }, ada);
      await post({ url }, other.sessionId, other.conversationId, "Elsewhere");
      await badge(page, 1).waitFor();
      await call({ url }, "POST", "/api/notifications/read", { token: ada.token });
      await noBadge(page).waitFor();

      // A list that does not load says so, and comes with the next try.
      await page.route("**/api/notifications?*", (route) => route.abort());
      await reload(page);
      await bell(page).click();
      await panel(page).getByText("Notifications did not load").waitFor();
      assert.deepEqual(await violations(page), []);
      await page.unroute("**/api/notifications?*");
      await panel(page).getByRole("button", { name: "Try again" }).click();
      await panel(page).getByText("Late question").waitFor();
    }),
);

testWith(
  ["chromium"],
  "nothing sounds for what is before one, and once for all tabs",
  () =>
    withStaff(async ({ url, ada, bea }, browser) => {
      const { context, page } = await visit(browser);
      await listenOutside(page);
      await signIn(page, url, ADMIN);
      const shown = await newVisitor({ url }, ada);
      const aside = await newVisitor({ url }, ada);
      for (const { conversationId } of [shown, aside]) {
        await assign({ url }, bea, conversationId, ada);
      }
      await badge(page, 2).waitFor();
      const tab = await context.newPage();
      await listenOutside(tab);
      await open(tab, url);
      await badge(tab, 2).waitFor();
      for (const one of [tab, page]) {
        await one.bringToFront();
        // A press lets the page sound.
        await one.mouse.click(200, 4);
      }
      await open(page, `${url}/conversations/${shown.conversationId}`);
      await page.mouse.click(200, 4);
      await badge(page, 1).waitFor();
      for (const one of [page, tab]) {
        await one.evaluate(() => {
          const { outside } = globalThis as unknown as {
            outside: { shown: string[]; tones: number };
          };
          outside.shown.length = outside.tones = 0;
        });
      }

      // Both hear of the one; the other one comes after it, so that nothing is still on its way.
      await post({ url }, shown.sessionId, shown.conversationId, "Before your eyes");
      await page.getByLabel("Messages", { exact: true }).getByText("Before your eyes").waitFor();
      await post({ url }, aside.sessionId, aside.conversationId, "Over here");
      await badge(page, 2).waitFor();
      await badge(tab, 2).waitFor();
      const both = async () => {
        const [one, two] = [await outside(page), await outside(tab)];
        return { shown: [...one.shown, ...two.shown], tones: one.tones + two.tones };
      };
      const heard = await poll(both, ({ shown }) => shown.length > 0, "a notification");
      assert.deepEqual(heard.shown, [`${aside.name} wrote`]);
      assert.equal(heard.tones, 2, "one sound has two tones");
      await untilTold({ url }, ada, ({ unread }) => unread === 2);
    }),
);

testWith(
  ["chromium"],
  "how one is told is chosen by kind, and a note mentions by name",
  () =>
    withStaff(async ({ url, ada, bea }, browser) => {
      const { page, complaints } = await visit(browser);
      await signIn(page, url, ADMIN);
      await open(page, `${url}/settings/notifications`);
      const box = (name: string) => page.getByRole("checkbox", { name });
      await box("New conversation: In the bell").waitFor();
      assert.deepEqual(await violations(page), []);
      assert.equal(await box("New conversation: Sound").isChecked(), true);
      await Promise.all([
        page.waitForResponse("**/api/notification-preferences"),
        box("New conversation: In the bell").uncheck(),
      ]);
      assert.equal(await box("New conversation: Sound").isDisabled(), true);
      await reload(page);
      await box("New conversation: In the bell").waitFor();
      assert.equal(await box("New conversation: In the bell").isChecked(), false);
      assert.equal(await box("Mention: In the bell").isChecked(), true);
      // Changed elsewhere, it changes here.
      await call({ url }, "PATCH", "/api/notification-preferences", {
        token: ada.token,
        body: { mention: { sound: false } },
      });
      await page.waitForFunction(() =>
        [...document.querySelectorAll<HTMLInputElement>(".ways label")].some((label) =>
          label.textContent === "Mention: Sound" && !label.querySelector("input")!.checked
        )
      );

      // A save that fails is taken back, and said.
      await page.route("**/api/notification-preferences", (route) => route.abort());
      await box("Message: Browser").click();
      await page.getByText("The server cannot be reached").waitFor();
      assert.equal(await box("Message: Browser").isChecked(), true);
      await page.unroute("**/api/notification-preferences");
      complaints.length = 0;

      const visitor = await newVisitor({ url }, ada);
      await open(page, `${url}/conversations/${visitor.conversationId}`);
      await page.getByRole("button", { name: "Note" }).click();
      const text = page.getByRole("textbox", { name: "Note only your team can see" });
      await text.pressSequentially("Look here @mo");
      const option = page.getByRole("option", { name: "Bea Moor" });
      await option.waitFor();
      assert.deepEqual(await violations(page), []);
      await page.keyboard.press("Escape");
      await option.waitFor({ state: "detached" });
      await page.keyboard.press("Backspace");
      await option.waitFor();
      await page.keyboard.press("Tab");
      assert.equal(await text.inputValue(), "Look here @Bea Moor ");
      await text.press("Enter");
      const list = await untilTold({ url }, bea, ({ items }) => items.length > 0);
      assert.deepEqual(kinds(list), ["mention"]);
      assert.equal(list.items[0]!.body, "Look here @Bea Moor");
      assert.deepEqual(kinds(await told({ url }, ada)), []);
      // In an answer to the visitor "@" is only "@".
      await page.getByRole("button", { name: "Reply", exact: true }).click();
      await page.getByRole("textbox", { name: /^Reply to/ }).pressSequentially("mail @be");
      assert.equal(await option.count(), 0);
      assert.deepEqual(complaints, []);
    }),
);
