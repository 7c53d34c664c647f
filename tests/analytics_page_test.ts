import assert from "node:assert/strict";
import { violations, visit } from "./support/browser.ts";
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
      await tile("Messages per minute", "1");
      await tile("Agents online", "1");

      // Live, without a reload.
      await post(server, visitor.sessionId, conversation.id, "Good");
      await tile("Messages per minute", "2");

      // Four figures with a trend, of which one is in the chart; the others are a press away.
      const headlines = page.getByRole("list", { name: "Headline figures" }).getByRole("button");
      assert.equal(await headlines.count(), 4);
      assert.match(await headlines.first().innerText(), /Conversations\s+1\s+None before/);
      await headlines.nth(1).click();
      await page.getByRole("heading", { name: "First response, median" }).waitFor();

      // A table by agent, team, label and channel, with its conversations and a download.
      const detail = page.getByRole("region", { name: "In detail" });
      await detail.getByRole("row", { name: /ada/ }).waitFor();
      await detail.getByText("Channel", { exact: true }).click();
      await detail.getByRole("row", { name: /web/ }).waitFor();
      const [detailCsv] = await Promise.all([
        page.waitForEvent("download"),
        detail.getByRole("button", { name: "CSV" }).click(),
      ]);
      assert.equal(detailCsv.suggestedFilename(), "by-channel.csv");

      await page.getByRole("button", { name: /^Replies per minute/ }).click();
      await page.getByRole("heading", { name: "Messages out" }).waitFor();
      await page.getByLabel("Break down by").selectOption("agent");
      const part = page.locator(".parts button");
      await part.waitFor();
      assert.match(await part.innerText(), /ada\s+1/);
      await part.click();
      const counted = page.locator(".drill-down a");
      await counted.waitFor();
      assert.equal(await counted.getAttribute("href"), `/conversations/${conversation.id}`);

      const download = page.waitForEvent("download");
      await page.getByRole("button", { name: "CSV" }).first().click();
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
      await headlines.first().click();
      await page.getByLabel("Break down by").selectOption("label");
      const unlabelled = page.locator(".parts button", { hasText: "No label" });
      await unlabelled.press("Enter");
      await page.getByRole("heading", { name: "Conversations started, No label" }).waitFor();
      await counted.waitFor();
      await page.getByLabel("Figure", { exact: true }).selectOption("response_median");
      const hours = page.getByRole("link", { name: "Business hours" });
      assert.equal(await hours.getAttribute("href"), "/settings/business-hours");
      await page.getByRole("button", { name: /^Replies per minute/ }).click();
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
      await page.getByRole("heading", { name: "Conversations started", exact: true }).waitFor();
      await page.goBack();
      await page.getByRole("heading", { name: "Messages out" }).waitFor();
      await page.getByText("7 days").click();
      await page.locator(".heat tbody td").first().waitFor();

      // Every hour of the week has its value, also for who cannot see colours.
      assert.equal(await page.locator(".heat tbody td").count(), 7 * 24);
      const heat = await page.locator(".heat tbody td").allInnerTexts();
      assert.equal(heat.filter((text) => text.trim() === "1").length, 1);
      // On a phone the chart is on the first screen.
      await page.setViewportSize({ width: 390, height: 844 });
      await open(page, `${url}/analytics`);
      const chart = page.locator(".series-chart canvas");
      await chart.waitFor();
      const place = await page.locator(".series-chart").evaluate((element) => {
        const { bottom } = element.getBoundingClientRect();
        return { bottom, rail: document.querySelector(".rail")!.getBoundingClientRect().top };
      });
      assert.ok(place.bottom <= place.rail, JSON.stringify(place));
      assert.deepEqual(await violations(page), []);

      // Delivery is a page of its own, for operators.
      assert.equal(await page.getByText("Delivery, 95th percentile").count(), 0);
      await page.getByRole("link", { name: "Delivery figures" }).click();
      await page.getByRole("heading", { name: "Delivery", level: 1 }).waitFor();
      await page.getByRole("heading", { name: "Delivery, 95th percentile" }).waitFor();
      assert.deepEqual(await violations(page), []);
      assert.deepEqual(complaints, []);
      await context.close();
    }),
);
