/** Chromium for the tests of a page: one process for all tests of a file, a fresh profile for each. */
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { CHROMIUM, isPresent } from "./services.ts";

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A name in a local network, where pages without TLS are not secure and lack much of the browser.
  "--host-resolver-rules=MAP chat.lan 127.0.0.1",
  // A microphone that beeps, and nobody who has to allow it.
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
];

/** Before the first test: what begins in a test and outlives it would look like a leak. */
let browser: Browser | null = null;
Deno.test.beforeAll(async () => {
  if (!isPresent("chromium")) return;
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
});
Deno.test.afterAll(async () => {
  await browser?.close();
  browser = null;
});

/** Runs it with the browser of this file, and ends every profile that it opened. */
export async function withBrowser(fn: (browser: Browser) => Promise<void>): Promise<void> {
  if (browser === null) throw new Error("Cannot open a page: there is no browser");
  try {
    await fn(browser);
  } catch (error) {
    await describePages(browser);
    throw error;
  } finally {
    for (const context of browser.contexts()) await context.close();
  }
}

/** What every open page showed when a test failed: a timeout alone says nothing of its cause. */
async function describePages(browser: Browser): Promise<void> {
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    const text = await page.locator("body").innerText({ timeout: 2000 }).catch(String);
    console.error(`\nThe page ${page.url()} showed:\n${text.slice(0, 3000)}\n`);
  }
}

export interface Visit {
  context: BrowserContext;
  page: Page;
  /** What the page complained about: console errors and uncaught exceptions. */
  complaints: string[];
}

/** A page in a profile of its own, of a person who wants no motion: nothing fades or slides in. */
export async function visit(
  browser: Browser,
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  return { context, page, complaints };
}

/** Waits until what changed is drawn, and brings everything that still moves to its end. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    await frame();
    await frame();
    for (const animation of document.getAnimations()) {
      // What never ends cannot be brought to its end.
      if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
    }
  });
}

/** As text, for the page: nothing of it is needed here. */
const AXE = new URL("../../node_modules/axe-core/axe.min.js", import.meta.url);
/** Rules of axe whose verdict depends on colours. */
const COLOURS = ["color-contrast", "link-in-text-block"];
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * Rules of WCAG 2.2 A and AA that the page breaks as it is now, each with the elements that do.
 *
 * @param colours look at these alone: in another theme nothing else differs
 */
export async function violations(
  page: Page,
  colours: "colours" | "all" = "all",
): Promise<string[]> {
  await settle(page);
  if (!await page.evaluate(() => "axe" in globalThis)) {
    await page.evaluate(await Deno.readTextFile(AXE));
  }
  return await page.evaluate(async (runOnly) => {
    const runner = (globalThis as unknown as { axe: typeof import("axe-core") }).axe;
    const { violations } = await runner.run(document, {
      runOnly,
      resultTypes: ["violations"],
      selectors: false,
    });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  }, colours === "all" ? TAGS : COLOURS);
}
