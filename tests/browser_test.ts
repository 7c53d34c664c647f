import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { visit, withBrowser } from "./support/browser.ts";
import { poll } from "./support/deadline.ts";
import { startProcess } from "./support/process.ts";
import { testWith } from "./support/services.ts";
import { makeDataDir } from "./support/template.ts";

const ACCOUNT = { name: "Ada Park", email: "ada@example.com", password: "correct horse battery" };

async function setUp(page: Page, url: string, code: string): Promise<void> {
  await page.goto(url);
  await page.waitForURL("**/setup");
  await page.getByLabel("Name").fill(ACCOUNT.name);
  await page.getByLabel(/e-?mail/i).fill(ACCOUNT.email);
  await page.getByLabel("Password", { exact: true }).fill(ACCOUNT.password);
  await page.keyboard.press("Enter");
  await page.getByLabel("Set-up code").fill(code);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${url}/`);
}

/** Message bubbles with exactly this text, wherever they are shown. */
function bubble(page: Page, text: string) {
  return page.getByLabel("Messages", { exact: true }).getByText(text, { exact: true });
}

async function write(page: Page, text: string): Promise<void> {
  const box = page.getByRole("textbox", { name: /message|reply|write/i }).last();
  await box.fill(text);
  await box.press("Enter");
}

testWith(
  ["chromium"],
  "the first walk, without TLS: set up, talk both ways, reload, restart, find everything",
  async () => {
    const dataDir = await makeDataDir();
    let server = await startProcess({ DATA_DIR: dataDir });
    const port = new URL(server.url).port;
    try {
      await withBrowser(async (browser) => {
        const url = server.url.replace("127.0.0.1", "chat.lan");
        const agent = await visit(browser);
        // From the browser's view the server is another machine.
        const code = await poll(
          () =>
            /asks for this code: ([A-Z2-9-]{14})/.exec(
              server.output.join("") + server.logs.join(""),
            )?.[1],
          (found) => found !== undefined,
          "the set-up code",
        );
        await setUp(agent.page, url, code!);
        const visitor = await visit(browser);
        await visitor.page.goto(`${url}/demo`);
        await visitor.page.getByRole("button", { name: "Chat" }).click();
        await write(visitor.page, "Is the blue teapot in stock?");
        await bubble(visitor.page, "Is the blue teapot in stock?").waitFor();

        // The conversation appears in the inbox by itself, unread, and the title says so.
        const row = agent.page.getByText("Is the blue teapot in stock?").first();
        await row.waitFor();
        assert.match(await agent.page.title(), /1/);
        await row.click();
        await agent.page.waitForURL("**/conversations/*");
        await bubble(agent.page, "Is the blue teapot in stock?").waitFor();
        await visitor.page.keyboard.type("And");
        await agent.page.getByText(/is typing/).first().waitFor();
        await write(agent.page, "It is! Shall I keep one for you?");
        await bubble(visitor.page, "It is! Shall I keep one for you?").waitFor();
        await write(visitor.page, "Yes please");
        await bubble(agent.page, "Yes please").waitFor();

        // Read marks on both sides.
        await agent.page.getByText("Read", { exact: true }).first().waitFor();
        await visitor.page.getByText(/^(Read|Seen)/).first().waitFor({ state: "attached" });

        // Offline messages wait and arrive once.
        await visitor.context.setOffline(true);
        await write(visitor.page, "Written without a network");
        await visitor.page.getByText("Waiting for the connection").first().waitFor();
        assert.equal(await bubble(agent.page, "Written without a network").count(), 0);
        await visitor.context.setOffline(false);
        await bubble(agent.page, "Written without a network").waitFor();

        // What needs a secure page has another way here.
        assert.equal(await agent.page.evaluate(() => isSecureContext), false);
        const notes = agent.page.getByRole("textbox", { name: /^Notes about this contact/ });
        await notes.fill("Collects teapots");
        await agent.page.getByText("Saved", { exact: true }).waitFor();
        await agent.page.getByRole("button", { name: /^Copy/ }).click();
        await agent.page.getByText("Copied", { exact: true }).waitFor({ state: "attached" });

        await agent.page.getByText(`${ACCOUNT.name} took the conversation`).waitFor();
        await agent.page.getByRole("button", { name: "Resolve", exact: true }).click();
        await agent.page.getByRole("button", { name: "Reopen" }).first().waitFor();

        // Everything is there after both reload, and after the server was killed and came back.
        await server.kill("SIGKILL");
        server = await startProcess({ DATA_DIR: dataDir, PORT: port });
        const all = [
          "Is the blue teapot in stock?",
          "It is! Shall I keep one for you?",
          "Yes please",
          "Written without a network",
        ];
        for (const { page } of [agent, visitor]) {
          await page.reload();
          if (page === visitor.page) await page.getByRole("button", { name: "Chat" }).click();
          for (const text of all) await bubble(page, text).waitFor();
          for (const text of all) assert.equal(await bubble(page, text).count(), 1, text);
        }
        await write(visitor.page, "Still there?");
        await bubble(agent.page, "Still there?").waitFor();
        await agent.page.getByRole("button", { name: "Resolve", exact: true }).waitFor();
        // A server that starts answers 503 until its database is open.
        const noise =
          /status of (403|503)|ERR_(CONTENT_LENGTH_MISMATCH|INTERNET_DISCONNECTED|CONNECTION_REFUSED|CONNECTION_RESET)|WebSocket/;
        for (const { complaints } of [agent, visitor]) {
          assert.deepEqual(complaints.filter((one) => !noise.test(one)), []);
        }
      });
    } finally {
      await server.kill("SIGTERM");
      await Deno.remove(dataDir, { recursive: true });
    }
  },
);
