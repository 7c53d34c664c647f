import assert from "node:assert/strict";
import { visit, withBrowser } from "./support/browser.ts";
import { call } from "./support/http.ts";
import { startProcess } from "./support/process.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { makeDataDir } from "./support/template.ts";

testWith(
  ["chromium"],
  "an admin makes a key, copies it once, uses it, and revokes it",
  async () => {
    const dataDir = await makeDataDir();
    const server = await startProcess({
      DATA_DIR: dataDir,
      ADMIN_EMAIL: ADMIN.email,
      ADMIN_PASSWORD: ADMIN.password,
    });
    try {
      await withBrowser(async (browser) => {
        // The clipboard exists on secure origins, and of plain HTTP only localhost is one.
        const url = server.url.replace("127.0.0.1", "localhost");
        const { page, context, complaints } = await visit(browser);
        await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });
        await page.goto(`${url}/login?next=/settings/api-keys`);
        await page.getByLabel("E-mail").fill(ADMIN.email);
        await page.getByLabel("Password", { exact: true }).fill(ADMIN.password);
        await page.keyboard.press("Enter");
        await page.waitForURL("**/settings/api-keys");
        await page.getByRole("button", { name: /, Online$/ }).waitFor();
        await page.getByText("No API keys yet").waitFor();

        await page.getByRole("button", { name: "Make a key" }).click();
        await page.getByRole("button", { name: "Make the key" }).click();
        await page.getByText("Enter a name.").waitFor();
        await page.getByText("Choose at least one right.").waitFor();
        await page.getByLabel("Name", { exact: true }).fill("Monitor <b>1</b>");
        await page.getByLabel("See who is connected").check();
        await page.getByLabel("Ends").selectOption({ label: "After 30 days" });
        await page.getByRole("button", { name: "Make the key" }).click();
        await page.getByRole("button", { name: "Copy key" }).click();
        await page.getByRole("button", { name: "Copied" }).waitFor();
        const key = await page.evaluate(() => navigator.clipboard.readText());
        assert.match(key, /^pk_[\w-]{43}$/);
        await page.getByRole("button", { name: "Done" }).click();
        assert.ok(!(await page.content()).includes(key));

        const ask = () => call(server, "GET", "/api/connections/stats", { token: key });
        assert.equal((await ask()).status, 200);
        await page.reload();
        const card = page.getByRole("listitem").filter({ hasText: "Monitor <b>1</b>" });
        await card.getByText(key.slice(0, 9)).waitFor();
        await card.getByText(/Last used .*, ends /).waitFor();
        await page.getByRole("button", { name: /, Online$/ }).waitFor();
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
      });
    } finally {
      await server.kill("SIGTERM");
      await Deno.remove(dataDir, { recursive: true });
    }
  },
);
