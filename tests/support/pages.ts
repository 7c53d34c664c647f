/** What tests of the dashboard's pages share: a server of their own, signing in, and axe. */
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { withBrowser } from "./browser.ts";
import { type ServerProcess, startProcess } from "./process.ts";
import { ADMIN } from "./server.ts";
import { makeDataDir } from "./template.ts";

/** The address has `localhost`, where browsers keep cookies and clipboards without TLS. */
export async function withPages(
  fn: (url: string, server: ServerProcess, browser: Browser) => Promise<void>,
): Promise<void> {
  const dataDir = await makeDataDir();
  const server = await startProcess({
    DATA_DIR: dataDir,
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
  });
  try {
    const url = server.url.replace("127.0.0.1", "localhost");
    await withBrowser((browser) => fn(url, server, browser));
  } finally {
    await server.kill("SIGTERM");
    await Deno.remove(dataDir, { recursive: true });
  }
}

export async function signIn(page: Page, url: string, who: { email: string; password: string }) {
  await page.goto(`${url}/login`);
  await page.getByLabel("E-mail").fill(who.email);
  await page.getByLabel("Password", { exact: true }).fill(who.password);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${url}/`);
}

/** Opens a page and waits until it is alive: its connection says that the agent is online. */
export async function open(page: Page, address: string) {
  await page.goto(address);
  await page.getByRole("button", { name: /^Account of .*, Online$/ }).waitFor();
}

/** What axe finds wrong with the page as it is now. */
export async function complain(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    const runner = (globalThis as unknown as { axe: typeof import("axe-core") }).axe;
    const { violations } = await runner.run(document);
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}
