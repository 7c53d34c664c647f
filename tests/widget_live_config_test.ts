import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import type { WidgetAppearance, WidgetConfig } from "../protocol/model.ts";
import { visit } from "./support/browser.ts";
import { call, login } from "./support/http.ts";
import { open, signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

interface Stage {
  url: string;
  browser: Browser;
  widget: WidgetConfig;
  /** A call as an admin. */
  ask<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  change(changes: Partial<WidgetConfig> | { appearance: Partial<WidgetAppearance> }): Promise<void>;
}

function onStage(fn: (stage: Stage) => Promise<void>) {
  return withPages(async (url, server, browser) => {
    const { token } = await login(server);
    const ask = async <T>(method: string, path: string, body?: unknown) => {
      const options = body === undefined ? { token } : { token, body };
      const answer = await call<T>(server, method, path, options);
      assert.ok(answer.status < 300, JSON.stringify(answer.body));
      return answer.body;
    };
    const { items } = await ask<{ items: WidgetConfig[] }>("GET", "/api/widget-configs");
    const widget = items[0]!;
    const change = async (changes: unknown) => {
      await ask("PATCH", `/api/widget-configs/${widget.id}`, changes);
    };
    await fn({ url, browser, widget, ask, change });
  });
}

/** The look of the widget as the page shows it. */
async function looks(page: Page, side: string, background: string, label: string) {
  await page.waitForFunction(
    ([side, background, label]) => {
      const host = document.querySelector<HTMLElement>("parley-widget");
      const button = host?.shadowRoot?.querySelector<HTMLElement>(".launcher");
      return button && host!.dataset.side === side &&
        getComputedStyle(button).backgroundColor === background &&
        button.querySelector(".label")!.textContent === label;
    },
    [side, background, label],
  );
}

/** Notes every title that the panel has from now on. @returns reads them, one after the other */
async function watchTitles(page: Page): Promise<() => Promise<string[]>> {
  const notes = await page.evaluateHandle(() => {
    const root = document.querySelector("parley-widget")!.shadowRoot!;
    const titles: string[] = [];
    const note = () => {
      const title = root.querySelector(".head h2")?.textContent ?? "";
      if (title !== titles.at(-1)) titles.push(title);
    };
    note();
    new MutationObserver(note).observe(root, {
      subtree: true,
      childList: true,
      characterData: true,
    });
    return titles;
  });
  return () => notes.jsonValue();
}

/** The server has the last message; the shop around the panel has words like these, too. */
async function sent(page: Page) {
  const marks = page.getByRole("dialog").getByText(/^(Sent|Delivered)/);
  await marks.first().waitFor({ state: "attached" });
}

testWith(
  ["chromium"],
  "an open widget takes a changed look at once, after an absence too, and goes when it is off",
  () =>
    onStage(async ({ url, browser, change }) => {
      const { page, context, complaints } = await visit(browser);
      await page.goto(`${url}/demo`);
      await page.getByRole("button", { name: "Chat" }).click();
      await page.getByText("Away – we will answer here").waitFor();
      const loads = await page.evaluate(() => performance.getEntriesByType("navigation").length);
      await page.getByRole("textbox", { name: /message/i }).fill("Half a thought");

      await change({
        appearance: {
          title: "Ask the potters",
          accent: "#0f766e",
          position: "left",
          launcherLabel: "Ask",
          placeholder: "Your question",
          greeting: "Good to see you.",
        },
      });
      await looks(page, "left", "rgb(15, 118, 110)", "Ask");
      await page.getByRole("heading", { name: "Ask the potters" }).waitFor();
      await page.getByText("Good to see you.").waitFor();
      const box = page.getByPlaceholder("Your question");
      assert.equal(await box.inputValue(), "Half a thought");

      // What was changed while there was no network is there after it.
      await context.setOffline(true);
      await page.getByText(/You are offline/).waitFor();
      await change({ appearance: { accent: "#b91c1c", title: "Ask again" } });
      await context.setOffline(false);
      await page.getByRole("heading", { name: "Ask again" }).waitFor();
      await looks(page, "left", "rgb(185, 28, 28)", "Ask");
      // The first message makes the client tell anew who it is; the look is not what it was then.
      await change({ appearance: { title: "Third" } });
      await page.getByRole("heading", { name: "Third" }).waitFor();
      const titles = await watchTitles(page);
      await box.press("Enter");
      await page.getByLabel("Messages", { exact: true }).getByText("Half a thought").waitFor();
      await sent(page);
      await change({ appearance: { title: "Fourth" } });
      await page.getByRole("heading", { name: "Fourth" }).waitFor();
      assert.deepEqual(await titles(), ["Third", "Fourth"]);

      await change({ enabled: false });
      await page.getByRole("dialog").waitFor({ state: "detached" });
      assert.equal(
        await page.evaluate(() => document.querySelector<HTMLElement>("parley-widget")!.hidden),
        true,
      );
      assert.equal(await page.getByRole("dialog").count(), 0);
      // The website's own calls harm nothing.
      await page.evaluate(() =>
        (globalThis as unknown as { Parley: (c: string) => void }).Parley("open")
      );
      assert.equal(await page.getByRole("dialog").count(), 0);
      const now = await page.evaluate(() => performance.getEntriesByType("navigation").length);
      assert.equal(now, loads);
      const noise = /ERR_INTERNET_DISCONNECTED|WebSocket/;
      assert.deepEqual(complaints.filter((one) => !noise.test(one)), []);
    }),
);

testWith(
  ["chromium"],
  "an open panel whose visit was ended elsewhere goes on with a new one, without being asked",
  () =>
    onStage(async ({ url, browser, widget, change }) => {
      const { page, context, complaints } = await visit(browser);
      await page.goto(`${url}/demo`);
      await page.getByRole("button", { name: "Chat" }).click();
      await page.getByText("Away – we will answer here").waitFor();
      const log = page.getByLabel("Messages", { exact: true });
      const box = page.getByRole("textbox", { name: /message/i });
      await box.fill("Before");
      await box.press("Enter");
      await log.getByText("Before").waitFor();
      await sent(page);
      const key = `parley:${widget.widgetKey}`;
      const before = await page.evaluate(
        (key) => JSON.parse(localStorage.getItem(key)!).sessionId as string,
        key,
      );

      // Ended while this page has no network: it finds out when it comes back.
      await context.setOffline(true);
      await page.getByText(/You are offline/).waitFor();
      const ended = await call({ url }, "DELETE", "/api/sessions", { token: before });
      assert.equal(ended.status, 204);
      await context.setOffline(false);
      await page.waitForFunction(
        ([key, before]) => {
          const now = JSON.parse(localStorage.getItem(key!) ?? "null");
          return now !== null && now.sessionId !== before;
        },
        [key, before],
      );
      // What was written belongs to the visit that is over.
      await log.getByText("Before").waitFor({ state: "detached" });
      await change({ appearance: { title: "Ask the potters" } });
      await page.getByRole("heading", { name: "Ask the potters" }).waitFor();
      assert.equal(await page.getByRole("button", { name: "Try again" }).count(), 0);
      await box.fill("After");
      await box.press("Enter");
      await log.getByText("After").waitFor();
      await sent(page);
      const noise = /ERR_INTERNET_DISCONNECTED|WebSocket/;
      assert.deepEqual(complaints.filter((one) => !noise.test(one)), []);
    }),
);

testWith(
  ["chromium"],
  "a rule for a page speaks to who has never opened the chat",
  () =>
    onStage(async ({ url, browser, ask }) => {
      const greet = (globs: string[], content: string) =>
        ask("POST", "/api/context-rules", {
          name: content,
          conditions: [{ kind: "page_url", globs }],
          actions: [{ kind: "bot_message", content }],
        });
      await greet(["/elsewhere/*"], "Wrong page");
      await greet(["/demo", "/demo/*"], "Can we help you choose?");
      const { page, complaints } = await visit(browser);
      await page.goto(`${url}/demo`);
      const teaser = page.getByRole("button", { name: "Can we help you choose?" });
      await teaser.waitFor();
      await page.getByRole("button", { name: /1 unread message$/ }).waitFor();
      // Not again on the next page view.
      await page.reload();
      await teaser.waitFor();
      await page.getByRole("button", { name: "Dismiss the message" }).click();
      await teaser.waitFor({ state: "detached" });
      await page.reload();
      await page.getByRole("button", { name: /1 unread message$/ }).click();
      const log = page.getByLabel("Messages", { exact: true });
      await log.getByText("Can we help you choose?").waitFor();
      assert.equal(await log.getByText(/help you choose|Wrong page/).count(), 1);
      assert.equal(await teaser.count(), 0);
      assert.deepEqual(complaints, []);
    }),
);

testWith(
  ["chromium"],
  "two admins at one widget see each other's changes and lose none",
  () =>
    onStage(async ({ url, browser, widget, ask }) => {
      const list = await visit(browser);
      const mine = await visit(browser);
      const theirs = await visit(browser);
      for (const { page } of [list, mine, theirs]) await signIn(page, url, ADMIN);
      await open(list.page, `${url}/widgets`);
      const address = `${url}/widgets/${widget.id}`;
      await open(mine.page, address);
      await open(theirs.page, address);
      const save = async (page: Page, label: string, value: string) => {
        await page.getByLabel(label, { exact: true }).fill(value);
        await page.getByRole("button", { name: "Save" }).click();
        await page.getByText(/^Saved\./).waitFor();
      };
      const shows = (page: Page, label: string, value: string) =>
        page.waitForFunction(
          ([label, value]) =>
            [...document.querySelectorAll("label")].some((one) =>
              one.textContent === label && (one.control as HTMLInputElement | null)?.value === value
            ),
          [label, value],
        );

      // Where nothing is unsaved, theirs is simply there.
      await save(theirs.page, "Name", "Shop");
      await list.page.getByRole("link", { name: /Shop/ }).waitFor();
      await mine.page.getByRole("heading", { name: /Shop/, level: 1 }).waitFor();
      await shows(mine.page, "Name", "Shop");

      await mine.page.getByLabel("Title", { exact: true }).fill("Mine");
      await save(theirs.page, "Greeting", "Theirs");
      await mine.page.getByText(/Somebody else has just changed this widget/).waitFor();
      await shows(mine.page, "Greeting", "Theirs");
      await shows(mine.page, "Title", "Mine");
      await mine.page.getByRole("button", { name: "Save" }).click();
      await mine.page.getByText(/^Saved\./).waitFor();
      await shows(theirs.page, "Title", "Mine");

      await mine.page.getByLabel("Title", { exact: true }).fill("Mine again");
      await save(theirs.page, "Title", "Theirs");
      await mine.page.getByRole("button", { name: "Use theirs" }).click();
      await shows(mine.page, "Title", "Theirs");
      assert.equal(await mine.page.getByRole("button", { name: "Save" }).count(), 0);

      await ask("DELETE", `/api/widget-configs/${widget.id}`);
      await mine.page.getByText("Somebody else has deleted this widget.").waitFor();
      await list.page.getByText("No widgets").waitFor();
      for (const { complaints } of [list, mine, theirs]) assert.deepEqual(complaints, []);
    }),
);
