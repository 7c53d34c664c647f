import assert from "node:assert/strict";
import { visit } from "./support/browser.ts";
import { call, login } from "./support/http.ts";
import { withPages } from "./support/pages.ts";
import { testWith } from "./support/services.ts";

testWith(
  ["chromium"],
  "a visitor rates with one press when it is over, and says why",
  () =>
    withPages(async (url, server, browser) => {
      const { token } = await login(server);
      const { page, complaints } = await visit(browser);
      await page.goto(`${url}/demo`);
      const open = () => page.getByRole("button", { name: "Chat" }).click();
      await open();
      const box = page.getByRole("textbox", { name: "Message" });
      await box.fill("Is anybody there?");
      await box.press("Enter");
      const list = () =>
        call<{ items: { id: string }[] }>(server, "GET", "/api/conversations", { token });
      await page.getByLabel("Messages", { exact: true }).getByText("Is anybody there?").waitFor();
      await page.getByText("Sent", { exact: true }).first().waitFor({ state: "attached" });
      const id = (await list()).body.items[0]!.id;
      const resolve = () =>
        call(server, "PATCH", `/api/conversations/${id}`, { token, body: { status: "resolved" } });
      const question = page.getByText("How did we do?");
      assert.equal(await question.count(), 0);
      await resolve();
      await question.waitFor();
      await page.getByRole("button", { name: "4 of 5" }).click();
      await page.getByRole("textbox", { name: "Your comment on this conversation" }).fill(
        "Friendly",
      );
      await page.getByRole("button", { name: "Send" }).first().click();
      await page.getByText("Thank you for your comment.").waitFor();

      const from = new Date(Date.now() - 86_400_000).toISOString().slice(0, 16) + "Z";
      const to = new Date(Date.now() + 86_400_000).toISOString().slice(0, 16) + "Z";
      const path = `/api/analytics/conversations?metric=satisfaction&from=${from}&to=${to}`;
      const { body } = await call<{ items: { value: number; comment: string }[] }>(
        server,
        "GET",
        path,
        { token },
      );
      assert.deepEqual([body.items[0]!.value, body.items[0]!.comment], [4, "Friendly"]);

      // Nobody is asked twice, and once more when it was opened and resolved again.
      await page.reload();
      await open();
      await page.getByLabel("Messages", { exact: true }).getByText("Is anybody there?").waitFor();
      assert.equal(await question.count(), 0);
      await box.fill("One thing more");
      await box.press("Enter");
      await page.getByText("Sent", { exact: true }).first().waitFor({ state: "attached" });
      await resolve();
      await question.waitFor();
      assert.deepEqual(complaints, []);
    }),
);
