/**
 * WCAG 2.2 AA at 320 px, which is 1280 px at 400 %: every page in both themes by axe and by keyboard.
 * Nothing scrolls sideways, everything is reachable, the focus is visible, and nothing covers it.
 * tests/pages_test.ts looks at the other sizes.
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { settle, violations, visit } from "./support/browser.ts";
import { call, cast, post } from "./support/http.ts";
import { makeLabel } from "./support/labels.ts";
import { signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

/** Of a window of 1280 × 1024 at 400 %. */
const NARROW = { width: 320, height: 256 };
const MAX_STEPS = 250;

/** Looks at the focus; runs in the page. */
function install() {
  const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
  const isTabbable = (one: HTMLElement) => {
    if (
      one.tabIndex < 0 || one.matches(":disabled") ||
      !one.checkVisibility({ visibilityProperty: true })
    ) {
      return false;
    }
    if (one.closest("[inert], [hidden]")) return false;
    // Of radio buttons the checked one is a stop.
    return !(one instanceof HTMLInputElement && one.type === "radio" && !one.checked);
  };
  const tabbable = () => [...document.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(isTabbable);
  const nameOf = (one: Element) => one.outerHTML.slice(0, 160);
  /** What a focus can change: of the element, what it consists of, and what it is in. */
  const look = (one: Element) => {
    const parts: string[] = [];
    const add = (element: Element, pseudo?: string) => {
      const style = getComputedStyle(element, pseudo);
      parts.push(
        `${style.outlineStyle} ${style.outlineWidth} ${style.outlineColor} ${style.boxShadow} ` +
          `${style.borderColor} ${style.backgroundColor} ${style.opacity}`,
      );
    };
    for (let at: Element | null = one, i = 0; at !== null && i < 3; at = at.parentElement, i++) {
      add(at);
    }
    add(one, "::after");
    for (const child of [...one.children].slice(0, 4)) add(child);
    if (one.nextElementSibling) add(one.nextElementSibling);
    return parts.join("|");
  };
  let looks = new Map<Element, string>();
  let seen = new Set<Element>();
  let last: Element | null = null;
  /** Whether something else covers all of it. */
  const isObscured = (one: Element) => {
    const { left, top, right, bottom } = one.getBoundingClientRect();
    const x = [left + 2, (left + right) / 2, right - 2];
    const y = [top + 2, (top + bottom) / 2, bottom - 2];
    return !x.some((x) =>
      y.some((y) => {
        const hit = document.elementFromPoint(x, y);
        return hit !== null && (one.contains(hit) || hit.contains(one) ||
          hit.closest("label")?.contains(one));
      })
    );
  };
  Object.assign(globalThis, {
    walker: {
      begin() {
        // The next Tab goes on from here: from the beginning of the page.
        const start = document.createElement("span");
        start.tabIndex = -1;
        document.body.prepend(start);
        start.focus();
        start.remove();
        looks = new Map(tabbable().map((one) => [one, look(one)]));
        seen = new Set();
      },
      /** After Tab: what is wrong with the focus; null: the walk has come around. */
      step(): string | null {
        const one = document.activeElement as HTMLElement | null;
        if (one === null || one === document.body) return null;
        // A field for a date has several stops.
        if (seen.has(one)) return one === last ? "" : null;
        seen.add(one);
        last = one;
        const before = looks.get(one);
        const label = one.closest("label");
        if (!one.checkVisibility()) return `is not visible: ${nameOf(one)}`;
        if (before !== undefined && before === look(one)) return `shows no focus: ${nameOf(one)}`;
        const part = one.matches(".sr-only") && label ? label : one;
        if (isObscured(part)) return `is covered: ${nameOf(one)}`;
        return "";
      },
      unreached: () => tabbable().filter((one) => looks.has(one) && !seen.has(one)).map(nameOf),
      sideways: () =>
        [document.documentElement, ...document.querySelectorAll("main, .page, .panes")]
          .filter((one) => one.scrollWidth > one.clientWidth + 1)
          .map((one) => {
            const { right } = one.getBoundingClientRect();
            const wide = [...one.querySelectorAll("*")].findLast((part) =>
              part.getBoundingClientRect().right > right + 1
            );
            return nameOf(wide ?? one);
          }),
    },
  });
}

declare const walker: {
  begin(): void;
  step(): string | null;
  unreached(): string[];
  sideways(): string[];
};

/** Every stop of the Tab key. */
async function keyboard(page: Page, name: string): Promise<string[]> {
  const wrong: string[] = [];
  await page.evaluate(() => walker.begin());
  for (let i = 0; i < MAX_STEPS; i++) {
    await page.keyboard.press("Tab");
    const found = await page.evaluate(() => walker.step());
    if (found === null) break;
    if (found !== "") wrong.push(`${name}: ${found}`);
  }
  const unreached = await page.evaluate(() => walker.unreached());
  return [...wrong, ...unreached.map((one) => `${name}: is not reached: ${one}`)];
}

testWith(
  ["chromium"],
  "every page is accessible at 400 %, in both themes and by keyboard",
  () =>
    withPages(async (url, server, browser) => {
      const { agent, visitor, conversation } = await cast(server);
      for (let i = 0; i < 4; i++) {
        await post(server, visitor.sessionId, conversation.id, `A question about the teapot ${i}`);
      }
      await post(server, agent.token, conversation.id, "It is on its way.");
      const label = await makeLabel(server, agent.token, "Refund");
      await call(server, "PATCH", `/api/conversations/${conversation.id}`, {
        token: agent.token,
        body: { addLabels: [label.id], assigneeId: agent.user.id },
      });
      const { page, complaints } = await visit(browser);
      page.setDefaultTimeout(20_000);
      await page.addInitScript(install);
      await signIn(page, url, ADMIN, "/settings/profile");
      await page.setViewportSize(NARROW);
      const wrong: string[] = [];
      const check = async (name: string) => {
        await settle(page);
        const sideways = await page.evaluate(() => walker.sideways());
        wrong.push(...sideways.map((one) => `${name}: scrolls sideways: ${one}`));
        wrong.push(...await keyboard(page, name));
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          const found = await violations(page, colorScheme === "light" ? "all" : "colours");
          wrong.push(...found.map((one) => `${name}, ${colorScheme}: ${one}`));
        }
      };
      /** Pages change without loading. */
      const go = async (path: string) => {
        await page.evaluate((href) => {
          const link = document.createElement("a");
          link.href = href;
          document.body.append(link);
          link.click();
          link.remove();
        }, path);
        await page.waitForURL(url + path);
        await page.waitForFunction(() =>
          document.documentElement.dataset.loading === undefined &&
          document.activeElement !== document.body
        );
      };
      await check("/settings/profile");
      const paths = await page.locator(".settings-nav a").evaluateAll((all) =>
        all.map((one) => one.getAttribute("href")!)
      );
      assert.ok(paths.length > 8);
      const others = [
        "/contacts",
        "/analytics/delivery",
        "/rules",
        "/widgets",
        "/analytics",
        "/websocket-test",
        "/",
      ];
      for (const path of [...paths.filter((one) => one !== "/settings/profile"), ...others]) {
        await go(path);
        await page.locator("main").waitFor();
        await check(path);
      }
      await page.locator("[data-row]").first().click();
      await page.getByRole("textbox", { name: /^Reply to/ }).waitFor();
      await check("/conversations/{id}");
      await page.getByRole("button", { name: "Show details" }).click();
      await page.getByRole("heading", { name: "Labels" }).waitFor();
      await check("/conversations/{id}, details");
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog", { name: "Command palette" }).waitFor();
      assert.deepEqual(await violations(page), []);
      await page.keyboard.press("Escape");
      await page.context().clearCookies();
      await page.goto(`${url}/login`);
      await check("/login");
      assert.deepEqual(wrong, []);
      assert.deepEqual(complaints, []);
    }),
);
