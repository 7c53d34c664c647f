import assert from "node:assert/strict";
import type { BusinessHours } from "../protocol/analytics.ts";
import { visit } from "./support/browser.ts";
import { call, login } from "./support/http.ts";
import { open, signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

const PATH = "/api/analytics/business-hours";
const BOB = { email: "bob@example.com", password: "correct horse battery" };
const MORNING = { from: "08:00", to: "12:00" };
const REST = { from: "13:00", to: "24:00" };
const NINE = { from: "09:00", to: "17:00" };

testWith(
  ["chromium"],
  "an admin sets the business hours by keyboard, an agent only reads them",
  () =>
    withPages(async (url, server, browser) => {
      const { token } = await login(server);
      const stored = async () =>
        (await call<{ businessHours: BusinessHours }>(server, "GET", PATH, { token })).body
          .businessHours;
      const { page, context, complaints } = await visit(browser, { timezoneId: "Europe/Berlin" });
      await signIn(page, url, ADMIN);
      await open(page, `${url}/settings/business-hours`);
      await page.getByText("Always open", { exact: true }).last().waitFor();
      assert.equal(await page.getByRole("button", { name: "Save" }).count(), 0);

      await page.getByRole("radio", { name: "Always open" }).focus();
      await page.keyboard.press("ArrowRight");
      assert.equal(await page.getByLabel("Time zone").inputValue(), "Europe/Berlin");
      await page.getByLabel("Monday: from").fill("08:00");
      await page.getByLabel("Monday: to").fill("12:00");
      await page.getByRole("button", { name: "Add hours on Monday" }).press("Enter");
      // The focus is where the new hours begin.
      const second = page.getByLabel("Monday, 2: from");
      await second.and(page.locator(":focus")).waitFor();
      await second.fill("11:00");
      await page.getByLabel("Monday, 2: to").fill("00:00");
      await page.getByRole("button", { name: "Save" }).press("Enter");
      await page.getByText("This begins before 12:00, when another one ends.").waitFor();
      await second.and(page.locator(":focus")).waitFor();
      assert.equal(await stored(), null, "what makes no sense is not sent");

      await second.fill("13:00");
      await page.getByRole("button", { name: "Copy Monday to other days" }).press("Enter");
      await page.getByRole("menuitem", { name: "Saturday" }).press("Enter");
      await page.getByRole("checkbox", { name: "Friday" }).uncheck();
      await page.getByRole("button", { name: "Save" }).press("Enter");
      await page.getByText("The business hours are saved.").waitFor();
      const day = [MORNING, REST];
      assert.deepEqual(await stored(), {
        timeZone: "Europe/Berlin",
        days: [day, [NINE], [NINE], [NINE], [], day, []],
      });
      await page.reload();
      await page.getByRole("button", { name: /, Online$/ }).waitFor();
      assert.equal(await page.getByLabel("Saturday, 2: to").inputValue(), "00:00");
      await page.getByText(/^(Open now, until|Closed now, opens) /).waitFor();
      assert.deepEqual(complaints, []);
      await context.close();

      await call(server, "POST", "/api/users", {
        token,
        body: { ...BOB, name: "Bob", role: "agent" },
      });
      const bob = await visit(browser);
      await signIn(bob.page, url, BOB);
      await open(bob.page, `${url}/settings/business-hours`);
      await bob.page.getByText("Only admins can change the business hours.").waitFor();
      assert.equal(await bob.page.getByLabel("Monday, 1: from").isDisabled(), true);
      assert.equal(await bob.page.getByRole("button", { name: /^(Add|Copy|Remove)/ }).count(), 0);
      await bob.context.close();
    }),
);
