import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { violations, visit, withBrowser } from "./support/browser.ts";
import { call, login } from "./support/http.ts";
import { startProcess } from "./support/process.ts";
import { testWith } from "./support/services.ts";
import { makeDataDir } from "./support/template.ts";

const PASSWORD = "a password for the demo";

async function fillWithDemoData(dataDir: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "tools/demo.ts"],
    env: { DATA_DIR: dataDir, ADMIN_EMAIL: "ada@example.com", ADMIN_PASSWORD: PASSWORD },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return /Sign in as (\S+)/.exec(new TextDecoder().decode(stdout))![1]!;
}

async function scrollsSideways(page: Page): Promise<boolean> {
  return await page.evaluate(() =>
    [...document.querySelectorAll("html, .page")].some((part) =>
      part.scrollWidth > part.clientWidth
    )
  );
}

const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

testWith(
  ["chromium"],
  "every page is accessible and fits, in both sizes and both themes",
  async (t) => {
    const dataDir = await makeDataDir();
    const email = await fillWithDemoData(dataDir);
    await t.step("demo data goes into an empty database only", async () => {
      await assert.rejects(fillWithDemoData(dataDir), /it has contacts already/);
    });
    const server = await startProcess({ DATA_DIR: dataDir });
    const url = server.url.replace("127.0.0.1", "localhost");
    try {
      await t.step("demo data has ratings with comments", async () => {
        const { token } = await login(server, { email, password: PASSWORD });
        const { body } = await call<{ items: unknown[] }>(server, "GET", "/api/ratings", { token });
        assert.equal(body.items.length, 4);
        assert.match(JSON.stringify(body.items), /Quick and kind/);
      });
      await withBrowser(async (browser) => {
        const { page, complaints } = await visit(browser);
        const check = async (name: string) => {
          for (const [size, viewport] of Object.entries(SIZES)) {
            await page.setViewportSize(viewport);
            await page.emulateMedia({ colorScheme: "light" });
            assert.deepEqual(await violations(page), [], `${name}, ${size}, light`);
            assert.equal(await scrollsSideways(page), false, `${name}, ${size}`);
            await page.emulateMedia({ colorScheme: "dark" });
            assert.deepEqual(await violations(page, "colours"), [], `${name}, ${size}, dark`);
          }
          await page.setViewportSize(SIZES.desktop);
        };
        await page.goto(`${url}/conversations/unknown`);
        await page.waitForURL("**/login?next=*");
        await check("/login");
        await page.getByLabel(/e-?mail/i).fill(email);
        await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
        await page.keyboard.press("Enter");
        await page.waitForURL("**/conversations/unknown");
        await check("/conversations/unknown");
        await page.goto(`${url}/`);
        await page.getByText("Maya Lindqvist").first().waitFor();
        await check("/");
        await page.getByText("Jonas Weber").first().click();
        await page.getByText("Ash white, and ten of them in the green.").first().waitFor();
        // Demo data has files.
        await page.getByText("quote-NW-Q118.pdf").first().waitFor();
        await page.getByRole("button", { name: /glaze-samples.jpg/ }).waitFor();
        await check("/conversations/{id}");
        await page.goto(`${url}/widgets`);
        await page.getByRole("button", { name: /, Online$/ }).waitFor();
        await check("/widgets");
        await page.getByRole("link", { name: /Website/ }).click();
        await page.waitForURL("**/widgets/*");
        await page.getByRole("button", { name: /, Online$/ }).waitFor();
        await check("/widgets/{id}");
        await page.getByRole("button", { name: "Add a website" }).click();
        await page.keyboard.type("not a website");
        await page.getByRole("button", { name: "Save" }).click();
        await page.getByText("Enter an address").waitFor();
        await check("/widgets/{id} with an error");
        await page.getByRole("button", { name: "Discard" }).click();
        await page.getByRole("button", { name: "Delete this widget…" }).click();
        await check("/widgets/{id}, to be deleted");
        await page.goto(`${url}/widgets/unknown`);
        await check("/widgets/unknown");
        await page.goto(`${url}/analytics`);
        await page.locator(".series-chart canvas").waitFor();
        await page.getByRole("list", { name: "Headline figures" }).getByRole("button").first()
          .click();
        await page.getByLabel("Break down by").selectOption("label");
        await page.locator(".parts button").first().click();
        await page.locator(".drill-down a").first().waitFor();
        await page.getByText("As a table").click();
        await check("/analytics");
        await page.goto(`${url}/analytics/delivery`);
        await page.locator(".series-chart canvas").waitFor();
        await check("/analytics/delivery");
        await page.goto(`${url}/contacts`);
        await page.getByRole("button", { name: /, Online$/ }).waitFor();
        await check("/contacts");
        await page.locator(".contacts a").first().click();
        await page.getByRole("button", { name: "Merge" }).waitFor();
        await check("/contacts/{id}");
        await page.goto(`${url}/settings/profile`);
        await page.getByRole("button", { name: /, Online$/ }).waitFor();
        await check("/settings/profile");
        await page.goto(`${url}/settings/people`);
        await page.getByRole("button", { name: /, Online$/ }).waitFor();
        await check("/settings/people");
        await page.getByRole("button", { name: "Add a person" }).click();
        await check("/settings/people, adding one");
        await page.goto(`${url}/settings/business-hours`);
        await page.getByRole("button", { name: /, Online$/ }).waitFor();
        await check("/settings/business-hours, always open");
        await page.getByText("Custom hours").click();
        await page.getByLabel("Monday: to").fill("08:00");
        await page.getByRole("button", { name: "Save" }).click();
        await page.getByText("The end has to be after the beginning.").waitFor();
        await check("/settings/business-hours, with an error");
        await page.getByRole("button", { name: "Discard" }).click();
        await page.goto(`${url}/settings/api-keys`);
        await page.getByRole("button", { name: /, Online$/ }).waitFor();
        await check("/settings/api-keys");
        await page.getByRole("button", { name: "Create a key" }).click();
        await check("/settings/api-keys, making one");
        await page.goto(`${url}/api/docs`);
        await page.locator("#post-api-broadcast > summary").click();
        await check("/api/docs");
        await page.goto(`${url}/settings/websocket`);
        await page.getByRole("button", { name: /, Online$/ }).waitFor();
        await check("/settings/websocket");
        await page.getByRole("button", { name: "Connect", exact: true }).click();
        await page.getByText("Live", { exact: true }).waitFor();
        await page.getByRole("button", { name: "Subscribe", exact: true }).click();
        await page.getByRole("button", { name: "Send", exact: true }).click();
        await page.getByText(/its event arrived after/).waitFor();
        await page.getByRole("button", { name: /conversationEvent/ }).first().click();
        await page.getByLabel("Conversation", { exact: true }).selectOption(
          "Another one, by its id",
        );
        await page.getByRole("button", { name: "Subscribe", exact: true }).click();
        await check("/settings/websocket, live, with an error");
        await page.goto(`${url}/websocket-test`);
        await page.getByRole("button", { name: /, Online$/ }).waitFor();
        await check("/websocket-test");
        for (const name of ["Customer", "Agent"]) {
          const side = page.getByRole("region", { name, exact: true });
          await side.getByRole("button", { name: "Connect", exact: true }).click();
          await side.getByText("Connected", { exact: true }).waitFor();
          await side.getByRole("textbox", { name: /^Message to/ }).fill(`From the ${name}`);
          await page.keyboard.press("Enter");
          await side.getByRole("log").getByText("Stored").waitFor();
          await side.getByRole("button", { name: /^Sent .* message/ }).click();
        }
        await page.getByRole("button", { name: "Go offline" }).first().click();
        await check("/websocket-test, one side offline");
        await page.goto(`${url}/nowhere`);
        await check("/nowhere");
        await page.goto(`${url}/demo`);
        await check("/demo");
        await page.getByRole("button", { name: "Chat" }).click();
        await page.getByRole("textbox", { name: "Message" }).waitFor();
        await check("/demo with the panel open");
        // The 404 of the pages asked for above is the browser's own remark.
        assert.deepEqual(complaints.filter((one) => !/status of 404/.test(one)), []);
      });
    } finally {
      await server.kill("SIGTERM");
      await Deno.remove(dataDir, { recursive: true });
    }
  },
);
