import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import type { ContextRule, User } from "../protocol/model.ts";
import type { ContextRuleList } from "../protocol/rules.ts";
import { violations, visit } from "./support/browser.ts";
import { call, login } from "./support/http.ts";
import { open, signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

const GRACE = { name: "Grace", email: "grace@example.com", password: "a quite long password" };

/** Names of the rules as the page lists them. */
function names(page: Page): Promise<string[]> {
  return page.getByRole("list", { name: "Rules" }).locator("strong").allTextContents();
}

async function shows(page: Page, expected: string[]) {
  await page.waitForFunction(
    (wanted) =>
      JSON.stringify(
        [...document.querySelectorAll(".rule strong")].map((one) => one.textContent),
      ) ===
        wanted,
    JSON.stringify(expected),
  );
  assert.deepEqual(await names(page), expected);
}

async function fillRule(page: Page, name: string, words: string, says: string) {
  await page.getByRole("button", { name: "New rule" }).click();
  const form = page.getByRole("form", { name: "Rule" });
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("and writes one of these words").fill(words);
  await form.getByLabel("The bot says").fill(says);
  await form.getByRole("button", { name: "Add rule" }).click();
  await form.waitFor({ state: "detached" });
}

function rowOf(page: Page, name: string): Locator {
  return page.locator(".rule").filter({
    has: page.locator("strong").getByText(name, { exact: true }),
  });
}

testWith(
  ["chromium"],
  "two dashboards show the same rules, whichever of them adds, orders, switches and deletes",
  () =>
    withPages(async (url, server, browser) => {
      const one = await visit(browser);
      const two = await visit(browser);
      for (const { page } of [one, two]) {
        await signIn(page, url, ADMIN);
        await open(page, `${url}/rules`);
      }
      // From nothing, by a template, with the keyboard where it matters.
      assert.deepEqual(await violations(one.page), []);
      await one.page.getByRole("button", { name: "Use this: Greet on a page" }).click();
      const form = one.page.getByRole("form", { name: "Rule" });
      await form.getByLabel("Name").fill("");
      await one.page.keyboard.press("Enter");
      await form.getByText("Enter a name.").waitFor();
      await form.getByLabel("Name").fill("Greeting");
      await form.getByText("Try it").click();
      assert.deepEqual(await violations(one.page), []);
      await form.getByLabel("On the page").fill("https://www.example.com/pricing/plans?a=1");
      await form.getByText("The bot would say this.").waitFor();
      await form.getByLabel("On the page").fill("https://www.example.com/");
      await form.getByText("It does not match.").waitFor();
      await form.getByLabel("A visitor is on one of these pages").fill("pricing");
      await form.getByRole("button", { name: "Add rule" }).click();
      await form.getByText(/“pricing” is not a page/).waitFor();
      await form.getByLabel("A visitor is on one of these pages").fill("/pricing*");
      await form.getByRole("button", { name: "Add rule" }).click();
      await shows(two.page, ["Greeting"]);
      await fillRule(two.page, "Prices", "price, how much", "From 9 €.");
      await fillRule(two.page, "Hours", "open", "From 9 to 17.");
      for (const { page } of [one, two]) await shows(page, ["Greeting", "Prices", "Hours"]);

      // Order, by button and by pointer.
      await one.page.getByRole("button", { name: "Move Hours up" }).press("Enter");
      for (const { page } of [one, two]) await shows(page, ["Greeting", "Hours", "Prices"]);
      const focused = () => one.page.evaluate(() => document.activeElement?.ariaLabel);
      assert.equal(await focused(), "Move Hours up");
      const from = (await rowOf(two.page, "Prices").locator(".rule-handle").boundingBox())!;
      const to = (await rowOf(two.page, "Greeting").boundingBox())!;
      await two.page.mouse.move(from.x + 5, from.y + 5);
      await two.page.mouse.down();
      await two.page.mouse.move(from.x + 5, to.y + 40, { steps: 5 });
      await two.page.mouse.move(from.x + 5, to.y, { steps: 5 });
      await two.page.mouse.up();
      for (const { page } of [one, two]) await shows(page, ["Prices", "Greeting", "Hours"]);

      // Off, and gone.
      await one.page.getByRole("switch", { name: "Hours: switched on" }).click();
      await two.page.locator(".rule[data-off]").filter({ hasText: "Hours" }).waitFor();
      await two.page.getByRole("button", { name: "Edit Hours" }).click();
      await two.page.getByRole("button", { name: "Delete…" }).click();
      await two.page.getByText("Delete “Hours” for good?").waitFor();
      await two.page.getByRole("button", { name: "Delete for good" }).click();
      for (const { page } of [one, two]) await shows(page, ["Prices", "Greeting"]);

      const { token } = await login(server);
      const path = "/api/context-rules";
      const stored = await call<ContextRuleList>(server, "GET", path, { token });
      assert.deepEqual(
        stored.body.items.map(({ name, enabled, conditions }) => [name, enabled, conditions]),
        [
          ["Prices", true, [{ kind: "message", keywords: ["price", "how much"] }]],
          ["Greeting", true, [{ kind: "page_url", globs: ["/pricing*"] }]],
        ],
      );
      for (const scheme of ["light", "dark"] as const) {
        await one.page.emulateMedia({ colorScheme: scheme });
        assert.deepEqual(await violations(one.page), []);
      }
      assert.deepEqual([...one.complaints, ...two.complaints], []);
    }),
);

testWith(
  ["chromium"],
  "who edits what somebody else changes is told, and nobody's words are lost silently",
  () =>
    withPages(async (url, server, browser) => {
      const { token } = await login(server);
      const rule = async (method: string, path: string, body?: unknown) => {
        const options = body === undefined ? { token } : { token, body };
        const answer = await call<ContextRule>(
          server,
          method,
          `/api/context-rules${path}`,
          options,
        );
        assert.ok(answer.status < 300, JSON.stringify(answer.body));
        return answer.body;
      };
      const actions = (content: string) => [{ kind: "bot_message", content }];
      const { id } = await rule("POST", "", {
        name: "Prices",
        conditions: [{ kind: "message", keywords: ["price"] }],
        actions: actions("From 9 €."),
      });
      const { page, complaints } = await visit(browser);
      await signIn(page, url, ADMIN);
      await open(page, `${url}/rules`);
      await page.getByRole("button", { name: "Edit Prices" }).click();
      const form = page.getByRole("form", { name: "Rule" });
      const says = form.getByLabel("The bot says");

      // Nothing of one's own is there yet: theirs is simply shown.
      await rule("PATCH", `/${id}`, { actions: actions("From 10 €.") });
      await page.waitForFunction(() =>
        (document.querySelector("#rule-says") as HTMLTextAreaElement).value === "From 10 €."
      );
      await says.fill("From 11 €.");
      await rule("PATCH", `/${id}`, { enabled: false });
      await page.locator(".rule[data-off]").waitFor();
      assert.equal(await form.getByRole("alert").count(), 0);

      await rule("PATCH", `/${id}`, { actions: actions("From 12 €.") });
      await form.getByText(/Somebody else has changed this rule.*From 12 €\./s).waitFor();
      assert.equal(await says.inputValue(), "From 11 €.");
      await form.getByRole("button", { name: "Use theirs" }).click();
      assert.equal(await says.inputValue(), "From 12 €.");

      await says.fill("From 13 €.");
      await rule("PATCH", `/${id}`, { actions: actions("From 14 €.") });
      await form.getByRole("button", { name: "Keep mine" }).click();
      await form.getByRole("button", { name: "Save" }).click();
      await form.waitFor({ state: "detached" });
      const kept = await rule("GET", `/${id}`);
      assert.deepEqual(kept.actions, actions("From 13 €."));

      // Unsaved words are asked for before they go.
      await page.getByRole("button", { name: "Edit Prices" }).click();
      await says.fill("From 15 €.");
      await page.getByRole("button", { name: "Close" }).click();
      await form.getByText("You have unsaved changes.").waitFor();
      await rule("DELETE", `/${id}`);
      await form.getByText("Somebody else has deleted this rule.").waitFor();
      await form.getByRole("button", { name: "Save" }).click();
      await form.waitFor({ state: "detached" });
      await shows(page, ["Prices"]);
      assert.deepEqual(complaints, []);
    }),
);

testWith(
  ["chromium"],
  "agents look at rules, and only admins change them",
  () =>
    withPages(async (url, server, browser) => {
      const { token } = await login(server);
      await call<User>(server, "POST", "/api/users", { token, body: { ...GRACE, role: "agent" } });
      await call(server, "POST", "/api/context-rules", {
        token,
        body: {
          name: "Prices",
          conditions: [{ kind: "message", keywords: ["price"] }],
          actions: [{ kind: "bot_message", content: "From 9 €." }],
        },
      });
      const { page, complaints } = await visit(browser);
      await signIn(page, url, GRACE);
      await open(page, `${url}/rules`);
      await page.getByText("Only admins can change rules.").waitFor();
      await page.getByText("A visitor writes “price”").waitFor();
      assert.equal(await page.getByRole("switch").isDisabled(), true);
      assert.equal(await page.getByRole("button", { name: /New rule|Edit|Move/ }).count(), 0);
      assert.deepEqual(complaints, []);
    }),
);
