import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Conversation, Label } from "../protocol/model.ts";
import { violations, visit } from "./support/browser.ts";
import { call, cast, openSession, post } from "./support/http.ts";
import { makeLabel, setLabels } from "./support/labels.ts";
import { open, signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

/** Waits until the details show these labels, by name. */
async function shows(page: Page, expected: string[]) {
  await page.waitForFunction(
    (wanted) =>
      JSON.stringify(
        [...document.querySelectorAll(".label-list .label-chip > .truncate")]
          .map((one) => one.textContent),
      ) === wanted,
    JSON.stringify(expected),
  );
}

/** What the row of a conversation in the list says of labels. */
function rowLabels(page: Page, id: string) {
  return page.locator(`[data-row="${id}"] .row-labels`);
}

testWith(
  ["chromium"],
  "labels are put on with the keyboard alone, and two dashboards show the same at once",
  () =>
    withPages(async (url, server, browser) => {
      const { agent, visitor, conversation } = await cast(server);
      const { token } = agent;
      const { id } = conversation;
      await post(server, visitor.sessionId, id, "Where is my parcel?");
      const refund = await makeLabel(server, token, "Refund", { color: "red" });
      await makeLabel(server, token, "Shipping", { color: "blue" });
      await makeLabel(server, token, "Press", { color: "pink" });
      const [one, two] = [await visit(browser), await visit(browser)];
      for (const { page } of [one, two]) {
        await signIn(page, url, ADMIN);
        await open(page, `${url}/conversations/${id}`);
      }
      const { page } = one;
      // The composer has the focus.
      await page.keyboard.press("Escape");
      await page.keyboard.press("l");
      const field = page.getByRole("combobox", { name: "Labels of this conversation" });
      await field.waitFor();
      await page.waitForFunction(() => document.activeElement?.role === "combobox");
      assert.deepEqual(await violations(page), []);
      await page.keyboard.type("ship");
      await page.keyboard.press("Enter");
      await page.keyboard.type("ref");
      await page.keyboard.press("Enter");
      for (const each of [one, two]) await shows(each.page, ["Refund", "Shipping"]);
      // Made where it is needed, and put on.
      await page.keyboard.type("Very angry");
      await page.getByRole("option", { name: "Make “Very angry”" }).waitFor();
      await page.keyboard.press("Enter");
      for (const each of [one, two]) {
        await shows(each.page, ["Refund", "Shipping", "Very angry"]);
        await rowLabels(each.page, id).getByText("+1").waitFor();
      }
      // Chosen again it goes.
      await page.keyboard.type("very");
      await page.keyboard.press("Enter");
      await page.keyboard.press("Escape");
      await shows(two.page, ["Refund", "Shipping"]);
      const focused = () => page.evaluate(() => document.activeElement?.textContent);
      assert.equal(await focused(), "Add label");
      await two.page.getByRole("button", { name: "Remove the label Shipping" }).click();
      for (const each of [one, two]) await shows(each.page, ["Refund"]);
      assert.deepEqual(await violations(two.page), []);

      // What happens to a label elsewhere.
      const path = `/api/labels/${refund.id}`;
      await call(server, "PATCH", path, { token, body: { name: "Money back" } });
      for (const each of [one, two]) {
        await shows(each.page, ["Money back"]);
        await rowLabels(each.page, id).getByText("Money back").waitFor();
      }
      await call(server, "DELETE", path, { token });
      for (const each of [one, two]) {
        await shows(each.page, []);
        await rowLabels(each.page, id).waitFor({ state: "detached" });
      }
      assert.deepEqual([...one.complaints, ...two.complaints], []);
    }),
);

testWith(
  ["chromium"],
  "the list is cut to a label, and a refused label is taken back",
  () =>
    withPages(async (url, server, browser) => {
      const { agent, key, visitor, conversation } = await cast(server);
      const { token } = agent;
      await post(server, visitor.sessionId, conversation.id, "First");
      const other = await openSession(server, key);
      const opened = await call<Conversation>(server, "POST", "/api/conversations", {
        token: other.sessionId,
        body: {},
      });
      await post(server, other.sessionId, opened.body.id, "Second");
      const vip = await makeLabel(server, token, "VIP", { color: "amber" });
      await makeLabel(server, token, "Bug", { color: "red" });
      await setLabels(server, token, conversation.id, [vip.id]);
      const { page, complaints } = await visit(browser);
      await signIn(page, url, ADMIN);
      await open(page, url);
      await page.getByRole("button", { name: "Filter by label" }).click();
      await page.getByRole("option", { name: "VIP" }).click();
      await page.waitForURL(`${url}/?label=${vip.id}`);
      await page.waitForFunction(() => document.querySelectorAll("[data-row]").length === 1);
      assert.deepEqual(await violations(page), []);
      // Drawn by the server in the same way, and live in both directions.
      await page.reload();
      await open(page, page.url());
      assert.equal(await page.locator("[data-row]").count(), 1);
      await setLabels(server, token, opened.body.id, [vip.id]);
      await page.waitForFunction(() => document.querySelectorAll("[data-row]").length === 2);
      await setLabels(server, token, conversation.id, []);
      await page.locator(`[data-row="${conversation.id}"]`).waitFor({ state: "detached" });

      // Refused: what was shown goes again, and it is said why.
      await page.locator("[data-row]").click();
      await page.getByRole("button", { name: "Add label" }).click();
      await page.route("**/api/conversations/*", (route) =>
        route.request().method() !== "PATCH" ? route.continue() : route.fulfill({
          status: 503,
          contentType: "application/problem+json",
          body: JSON.stringify({ code: "overloaded", detail: "Too much waits." }),
        }));
      await page.getByRole("option", { name: "Bug" }).click();
      await page.getByText("Too much waits.").waitFor();
      await shows(page, ["VIP"]);
      await page.unroute("**/api/conversations/*");
      await page.getByRole("option", { name: "Bug" }).click();
      await shows(page, ["Bug", "VIP"]);

      // The label goes, and with it the filter.
      await call(server, "DELETE", `/api/labels/${vip.id}`, { token });
      await page.waitForFunction(() =>
        document.querySelectorAll("[data-row]").length === 2
      );
      assert.ok(!page.url().includes("label="));
      assert.deepEqual(complaints.filter((one) => !/status of 503/.test(one)), []);
    }),
);

testWith(
  ["chromium"],
  "labels are made, changed and deleted in the settings, side by side",
  () =>
    withPages(async (url, server, browser) => {
      const [one, two] = [await visit(browser), await visit(browser)];
      for (const { page } of [one, two]) {
        await signIn(page, url, ADMIN);
        await open(page, `${url}/settings/labels`);
      }
      const { page } = one;
      assert.deepEqual(await violations(page), []);
      await page.getByRole("button", { name: "New label" }).click();
      const form = page.getByRole("form", { name: "Label" });
      await page.keyboard.press("Enter");
      await form.getByText("Enter a name.").waitFor();
      await form.getByLabel("Name").fill("VIP");
      await form.getByTitle("Violet").click();
      assert.ok(await form.getByRole("radio", { name: "Violet" }).isChecked());
      await form.getByLabel("Description (optional)").fill("Answer them first");
      assert.deepEqual(await violations(page), []);
      await form.getByRole("button", { name: "Add label" }).click();
      await form.waitFor({ state: "detached" });
      await two.page.getByText("Answer them first").waitFor();

      await two.page.getByRole("button", { name: "New label" }).click();
      const theirs = two.page.getByRole("form", { name: "Label" });
      await theirs.getByLabel("Name").fill("vip");
      await two.page.keyboard.press("Enter");
      await theirs.getByText("A label with this name already exists.").waitFor();
      await theirs.getByLabel("Name").fill("Bug");
      await two.page.keyboard.press("Enter");
      await page.getByRole("button", { name: "Edit Bug" }).click();
      await form.getByLabel("Name").fill("Defect");
      await form.getByRole("button", { name: "Save" }).click();
      await two.page.getByRole("button", { name: "Edit Defect" }).waitFor();
      await two.page.getByRole("button", { name: "Delete VIP" }).click();
      await two.page.getByRole("button", { name: "Delete label" }).click();
      await page.getByRole("button", { name: "Edit VIP" }).waitFor({ state: "detached" });

      for (const scheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme: scheme });
        assert.deepEqual(await violations(page), []);
      }
      const { token } = (await call<{ token: string }>(server, "POST", "/api/auth/login", {
        body: ADMIN,
      })).body;
      const stored = await call<{ items: Label[] }>(server, "GET", "/api/labels", { token });
      assert.deepEqual(stored.body.items.map(({ name }) => name), ["Defect"]);
      const remark = /status of 409/;
      for (const { complaints } of [one, two]) {
        assert.deepEqual(complaints.filter((text) => !remark.test(text)), []);
      }
    }),
);
