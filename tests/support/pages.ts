/** What tests of the dashboard's pages share: a server of their own, a browser, and signing in. */
import type { Browser, Page } from "playwright-core";
import { createSite } from "../../api/site.ts";
import { withBrowser } from "./browser.ts";
import { startServer, type TestServer } from "./server.ts";
import { isPresent } from "./services.ts";

/** The dashboard and the widget as they were built. */
export const builtSite = (reload = false) =>
  createSite({ dashboardDir: ".output", widgetDir: ".build/widget", reload });

/** A server with pages. The address has `localhost`, where browsers keep cookies without TLS. */
export async function withPages(
  fn: (url: string, server: TestServer, browser: Browser) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  const site = await builtSite(env["DEV_RELOAD"] === "true");
  // A page does not depend on the engine, and this one starts sooner.
  const server = await startServer(isPresent("postgres") ? "postgres" : "pglite", env, site);
  try {
    const url = server.url.replace("127.0.0.1", "localhost");
    await withBrowser((browser) => fn(url, server, browser));
    if (server.errors.length > 0) throw server.errors[0];
  } finally {
    await server.close();
  }
}

/** Signs in and waits until the page asked for is alive. */
export async function signIn(
  page: Page,
  url: string,
  who: { email: string; password: string },
  next = "/",
) {
  await page.goto(`${url}/login?next=${encodeURIComponent(next)}`);
  await page.getByLabel("E-mail").fill(who.email);
  await page.getByLabel("Password", { exact: true }).fill(who.password);
  await page.keyboard.press("Enter");
  await page.waitForURL(url + next);
  await alive(page);
}

/** Opens a page and waits until it is alive. */
export async function open(page: Page, address: string) {
  await page.goto(address);
  await alive(page);
}

/** Loads the page again and waits until it is alive. */
export async function reload(page: Page) {
  await page.reload();
  await alive(page);
}

/** Until its connection says that the agent is online: before that, no press and no key arrives. */
export async function alive(page: Page) {
  await page.getByRole("button", { name: /^Account of .*, Online$/ }).waitFor();
}
