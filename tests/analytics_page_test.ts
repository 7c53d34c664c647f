import assert from "node:assert/strict";
import { visit } from "./support/browser.ts";
import { cast, post } from "./support/http.ts";
import { open, reload, signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

testWith(
  ["chromium"],
  "an admin sees figures live and over time, the conversations that they count, and a download of them",
  () =>
    withPages(async (url, server, browser) => {
      const { agent, visitor, conversation } = await cast(server);
      await post(server, visitor.sessionId, conversation.id, "Is anybody there?");
      await post(server, agent.token, conversation.id, "I am");
      const { page, context, complaints } = await visit(browser, {
        timezoneId: "Asia/Kathmandu",
      });
      await signIn(page, url, ADMIN, "/analytics");
      const tile = (name: string, value: string) =>
        page.locator(".tile", { hasText: name }).filter({
          has: page.locator("strong", { hasText: new RegExp(`^${value}$`) }),
        })
          .waitFor();
      await tile("Open conversations", "1");
      await tile("Messages in a minute", "1");
      await tile("Agents online", "1");

      // Live, without a reload.
      await post(server, visitor.sessionId, conversation.id, "Good");
      await tile("Messages in a minute", "2");

      await page.getByRole("button", { name: /^Answers in a minute/ }).click();
      await page.getByRole("heading", { name: "Messages out" }).waitFor();
      await page.getByLabel("Broken down by").selectOption("agent");
      const part = page.locator(".parts button");
      await part.waitFor();
      assert.match(await part.innerText(), /ada\s+1/);
      await part.click();
      const counted = page.locator(".drill-down a");
      await counted.waitFor();
      assert.equal(await counted.getAttribute("href"), `/conversations/${conversation.id}`);

      const download = page.waitForEvent("download");
      await page.getByRole("button", { name: "CSV" }).click();
      const file = await (await download).path();
      const table = await Deno.readTextFile(file);
      assert.match(
        table,
        /^\ufeffstart \(.+\),"end \(exclusive, .+\)",messages_out,messages_out before,ada\r\n/,
      );
      assert.match(table, /^\d{4}-\d\d-\d\d,\d{4}-\d\d-\d\d,1,0,1\r\n$/m, "days of Kathmandu");

      // By keyboard, and by label.
      await page.getByText("As a table").press("Enter");
      await page.locator(".series-table tbody tr:last-child button").press("Enter");
      await page.getByRole("heading", { name: /^Messages out, \d+ \w+$/ }).waitFor();
      await page.getByRole("button", { name: /^Conversations started/ }).click();
      await page.getByLabel("Broken down by").selectOption("label");
      const unlabelled = page.locator(".parts button", { hasText: "No label" });
      await unlabelled.press("Enter");
      await page.getByRole("heading", { name: "Conversations started, No label" }).waitFor();
      await counted.waitFor();
      await page.getByRole("button", { name: /^Response, median/ }).click();
      const hours = page.getByRole("link", { name: "Business hours" });
      assert.equal(await hours.getAttribute("href"), "/settings/business-hours");
      await page.getByRole("button", { name: /^Answers in a minute/ }).click();
      await page.getByRole("heading", { name: "Messages out" }).waitFor();

      // Days of one's own, which stand in the address, as does the rest of what is shown.
      await page.getByText("Custom", { exact: true }).click();
      const [first, last] = [page.getByLabel("From"), page.getByLabel("To, inclusive")];
      assert.notEqual(await first.inputValue(), "");
      const today = await last.inputValue();
      await first.fill("9999-01-01");
      await page.getByText("The first day is after the last").waitFor();
      await first.fill(`${Number(today.slice(0, 4)) - 1}${today.slice(4)}`);
      const table_ = page.locator(".series-table");
      await table_.getByRole("columnheader", { name: "Week" }).waitFor();
      await reload(page);
      await table_.getByText("As a table").press("Enter");
      await table_.getByRole("columnheader", { name: "Week" }).waitFor();
      await page.getByRole("heading", { name: "Messages out" }).waitFor();
      await last.fill("1999-01-01");
      await page.getByText("The first day is after the last").waitFor();
      await first.fill(today);
      await last.fill(today);
      await table_.getByRole("columnheader", { name: "Hour" }).waitFor();
      assert.equal(
        new URL(page.url()).search,
        `?metric=messages_out&from=${today}&to=${today}`,
      );
      // An address of nonsense is what is shown at first.
      await open(page, `${url}/analytics?metric=typing_now&by=moon&from=x`);
      await page.getByRole("heading", { name: "Messages in", exact: true }).waitFor();
      await page.goBack();
      await page.getByRole("heading", { name: "Messages out" }).waitFor();
      await page.getByText("7 days").click();
      await page.locator(".heat tbody td").first().waitFor();

      // Every hour of the week has its value, also for who cannot see colours.
      assert.equal(await page.locator(".heat tbody td").count(), 7 * 24);
      const heat = await page.locator(".heat tbody td").allInnerTexts();
      assert.equal(heat.filter((text) => text.trim() === "1").length, 1);
      assert.deepEqual(complaints, []);
      await context.close();
    }),
);
