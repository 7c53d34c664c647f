import assert from "node:assert/strict";
import { visit } from "./support/browser.ts";
import { call } from "./support/http.ts";
import { reload, signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

testWith(
  ["chromium"],
  "an admin makes a key, copies it once, uses it, and revokes it",
  () =>
    withPages(async (url, server, browser) => {
      const { page, context, complaints } = await visit(browser);
      await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });
      await signIn(page, url, ADMIN, "/settings/api-keys");
      await page.getByText("No API keys yet").waitFor();

      await page.getByRole("button", { name: "Create a key" }).click();
      await page.getByRole("button", { name: "Create key" }).click();
      await page.getByText("Enter a name.").waitFor();
      await page.getByText("Choose at least one permission.").waitFor();
      await page.getByLabel("Name", { exact: true }).fill("Monitor <b>1</b>");
      await page.getByLabel("See who is connected").check();
      await page.getByLabel("Ends").selectOption({ label: "After 30 days" });
      await page.getByRole("button", { name: "Create key" }).click();
      await page.getByRole("button", { name: "Copy key" }).click();
      await page.getByRole("button", { name: "Copied" }).waitFor();
      const key = await page.evaluate(() => navigator.clipboard.readText());
      assert.match(key, /^pk_[\w-]{43}$/);
      await page.getByRole("button", { name: "Done" }).click();
      assert.ok(!(await page.content()).includes(key));

      const ask = () => call(server, "GET", "/api/connections/stats", { token: key });
      assert.equal((await ask()).status, 200);
      await reload(page);
      const card = page.getByRole("listitem").filter({ hasText: "Monitor <b>1</b>" });
      await card.getByText(key.slice(0, 9)).waitFor();
      await card.getByText(/Last used .*, ends /).waitFor();
      await page.getByRole("button", { name: "Revoke Monitor <b>1</b>" }).click();
      await page.getByRole("button", { name: "Revoke", exact: true }).click();
      await card.getByText("Revoked", { exact: true }).waitFor();
      assert.equal((await ask()).status, 401);

      await page.getByRole("link", { name: "API documentation" }).click();
      await page.getByRole("heading", { name: "Parley API" }).waitFor();
      const route = page.locator("#post-api-broadcast");
      await route.locator("summary").click();
      await route.getByText("conversationId").first().waitFor();
      assert.deepEqual(complaints, []);
    }),
);
