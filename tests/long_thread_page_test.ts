/** A conversation with 10,000 messages: it scrolls without a jump, and little of it is on the page. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { violations, visit } from "./support/browser.ts";
import { call, post } from "./support/http.ts";
import { fillConversation, messageAt } from "./support/long_thread.ts";
import { colleagues, newVisitor } from "./support/notifications.ts";
import { open, signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import type { Conversation } from "../protocol/model.ts";

const COUNT = 10_000;
const MAX_ELEMENTS = 2_500;

/** What the page does with the thread; runs in the page. */
function install() {
  const box = () => document.querySelector<HTMLElement>(".thread-scroll")!;
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const lines = () => [...document.querySelectorAll<HTMLElement>(".thread-lines > [data-key]")];
  const tops = () => {
    const { top, bottom } = box().getBoundingClientRect();
    return new Map(
      lines().map((line) => [line.dataset.key!, line.getBoundingClientRect()] as const)
        .filter(([, edge]) => edge.bottom > top && edge.top < bottom)
        .map(([key, edge]) => [key, edge.top]),
    );
  };
  /** How far what was in view is from where it should be. */
  const error = (before: Map<string, number>, moved: number) => {
    const now = tops();
    const shifts = [...before].filter(([key]) => now.has(key))
      .map(([key, top]) => Math.abs(now.get(key)! - top - moved));
    return Math.max(0, ...shifts);
  };
  Object.assign(globalThis, {
    thread: {
      box,
      tops,
      error,
      frame,
      /** Scrolls in steps; returns the largest jump, and the most elements that there were. */
      async walk(step: number, count: number) {
        let worst = 0, most = 0, empty = 0;
        for (let i = 0; i < count; i++) {
          const before = tops();
          const from = box().scrollTop;
          box().scrollTop += step;
          const moved = from - box().scrollTop;
          await frame();
          await frame();
          // At the top an estimate of what is above it comes to its end.
          const { scrollTop, scrollHeight, clientHeight } = box();
          if (scrollHeight + scrollTop - clientHeight < 1) continue;
          worst = Math.max(worst, error(before, moved));
          // Whatever is loaded or measured meanwhile moves nothing.
          const settled = tops();
          await frame();
          await frame();
          worst = Math.max(worst, error(settled, 0));
          most = Math.max(most, document.querySelectorAll("*").length);
          if (tops().size === 0) empty++;
        }
        return { worst, most, empty };
      },
    },
  });
}

interface Thread {
  box(): HTMLElement;
  tops(): Map<string, number>;
  error(before: Map<string, number>, moved: number): number;
  frame(): Promise<unknown>;
  walk(step: number, count: number): Promise<{ worst: number; most: number; empty: number }>;
}
declare const thread: Thread;

async function walk(page: Page, step: number, count: number) {
  const { worst, most, empty } = await page.evaluate(
    ([step, count]) => thread.walk(step!, count!),
    [step, count],
  );
  assert.ok(worst <= 2, `what was in view jumped by ${worst} px`);
  assert.ok(most < MAX_ELEMENTS, `${most} elements`);
  assert.equal(empty, 0, "the thread was empty");
}

/** How far the lines in view are from where they were, after something happened. */
async function unmoved(page: Page, what: string, happen: () => Promise<unknown>) {
  await page.evaluate(() => Object.assign(globalThis, { before: thread.tops() }));
  await happen();
  const moved = await page.evaluate(async () => {
    await thread.frame();
    await thread.frame();
    const { before } = globalThis as unknown as { before: Map<string, number> };
    // The first of them is the anchor.
    const now = thread.tops();
    const first = [...before].find(([key, top]) =>
      now.has(key) && top >= thread.box().getBoundingClientRect().top
    )!;
    return Math.abs(now.get(first[0])! - first[1]);
  });
  assert.ok(moved <= 2, `${what}: moved by ${moved} px`);
}

testWith(
  ["chromium", "postgres"],
  "10,000 messages scroll without a jump, and keys and links reach each of them",
  (t) =>
    withPages(async (url, server, browser) => {
      const [ada] = await colleagues(server);
      const visitor = await newVisitor(server, ada!);
      const id = visitor.conversationId;
      const path = `/api/conversations/${id}`;
      const { body } = await call<Conversation>(server, "GET", path, { token: ada!.token });
      await fillConversation(server, { id, contactId: body.contact.id, agentId: ada!.id }, COUNT);

      const { page, complaints } = await visit(browser);
      page.setDefaultTimeout(20_000);
      await page.addInitScript(install);
      await signIn(page, url, ADMIN, `/conversations/${id}`);
      await page.getByText(`Message ${COUNT}.`).waitFor();
      const focused = (text: RegExp | string) =>
        page.locator(".bubble-line:focus", { hasText: text }).waitFor();

      await t.step("older pages come in without a jump", async () => {
        await walk(page, -900, 30);
        assert.ok(await page.evaluate(() => -thread.box().scrollTop > 15_000));
        await walk(page, 700, 10);
        assert.deepEqual(await violations(page), []);
      });

      await t.step(
        "a new message, another size and a picture that loads move nothing",
        async () => {
          await unmoved(page, "a new message", async () => {
            await post(server, visitor.sessionId, id, "Is anybody there?");
            await page.getByRole("button", { name: "1 new message" }).waitFor();
          });
          await unmoved(
            page,
            "a lower window",
            () => page.setViewportSize({ width: 1440, height: 700 }),
          );
          await unmoved(
            page,
            "a narrow window",
            () => page.setViewportSize({ width: 900, height: 700 }),
          );
          await unmoved(page, "lines that grow", () =>
            page.evaluate(() => {
              const lines = [...document.querySelectorAll<HTMLElement>(".bubble-line .bubble")];
              const { top } = thread.box().getBoundingClientRect();
              const above = lines.findLast((line) =>
                line.getBoundingClientRect().bottom < top - 20
              )!;
              above.style.minHeight = "300px";
              lines.at(-1)!.style.minHeight = "400px";
            }));
          await page.setViewportSize({ width: 1440, height: 900 });
          await page.getByRole("button", { name: "1 new message" }).click();
          await page.getByText("Is anybody there?").last().waitFor();
          assert.equal(await page.evaluate(() => thread.box().scrollTop), 0);
        },
      );

      await t.step("a link leads to a message that is 9,900 back", async () => {
        const target = await messageAt(server, id, 100);
        await open(page, `${url}/conversations/${id}?message=${target}&seq=100`);
        await focused(/Message 100\./);
        await walk(page, 900, 20);
        await walk(page, -900, 35);
        await page.getByText("Message 1.").first().waitFor();
      });

      await t.step("keys go from each message to the next, to the first and the last", async () => {
        await page.locator(".bubble-line", { hasText: /Message 3\./ }).first().focus();
        for (let n = 4; n < 40; n++) {
          await page.keyboard.press("ArrowDown");
          await focused(new RegExp(`Message ${n}\\.`));
        }
        await page.keyboard.press("End");
        await focused("Is anybody there?");
        await page.keyboard.press("ArrowUp");
        await focused(new RegExp(`Message ${COUNT}.`));
        // What has the focus stays on the page, wherever the thread is scrolled to.
        await walk(page, -2000, 4);
        await focused(new RegExp(`Message ${COUNT}.`));
        await page.keyboard.press("ArrowDown");
        await focused("Is anybody there?");
        await page.keyboard.press("Home");
        await focused(/Message 1\./);
        // Screen readers read in the order of the conversation, with the days between.
        const order = await page.locator(".thread-lines > [data-key]").evaluateAll((lines) =>
          lines.map((line) => Number(/Message (\d+)/.exec(line.textContent!)?.[1] ?? 0))
            .filter((n) => n > 0)
        );
        assert.deepEqual(order, order.toSorted((a, b) => a - b));
        assert.ok(await page.locator(".thread-lines > h3.thread-day").count() > 0);
      });
      assert.deepEqual(complaints, []);
    }),
);
