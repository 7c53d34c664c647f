/** Files in the inbox and the widget: attached, sent, shown, and what cannot be sent says why. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import type { MessageList } from "../protocol/rest.ts";
import { postFiles, uploaded } from "./support/files.ts";
import { violations, visit } from "./support/browser.ts";
import { poll } from "./support/deadline.ts";
import { call, cast, post } from "./support/http.ts";
import { open, signIn, withPages } from "./support/pages.ts";
import { ADMIN, type TestServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";

/** Where pictures go, to be looked at; unset: nowhere. */
const SHOTS = Deno.env.get("PARLEY_TEST_SHOTS");

async function shoot(page: Page, name: string): Promise<void> {
  if (!SHOTS) return;
  const size = page.viewportSize();
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
      await page.setViewportSize(viewport);
      await page.screenshot({ path: `${SHOTS}/${name}-${scheme}-${viewport.width}.png` });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (size) await page.setViewportSize(size);
}

/** A real picture, as the browser makes it. */
async function picture(page: Page, type: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = await page.evaluate((type) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 200 });
    const context = canvas.getContext("2d")!;
    for (let i = 0; i < 8; i++) {
      context.fillStyle = `hsl(${i * 45} 70% 55%)`;
      context.fillRect(i * 40, 0, 40, 200);
    }
    return canvas.toDataURL(type);
  }, type);
  return Uint8Array.fromBase64(url.slice(url.indexOf(",") + 1));
}

const asFile = (name: string, mimeType: string, bytes: Uint8Array) => ({
  name,
  mimeType,
  buffer: Buffer.from(bytes),
});

async function testInbox(page: Page, url: string, server: TestServer): Promise<void> {
  const { agent: { token }, visitor, conversation } = await cast(server);
  await post(server, visitor.sessionId, conversation.id, "Here are some pictures");
  await open(page, `${url}/conversations/${conversation.id}`);
  // Of a real picture everything that shows it is left.
  const ids = [];
  for (const type of ["png", "jpeg", "webp"]) {
    const body = await picture(page, `image/${type}`);
    const file = await uploaded(server, visitor.sessionId, body, { name: `bars.${type}` });
    assert.deepEqual([file.mediaType, file.width, file.height], [`image/${type}`, 320, 200]);
    ids.push(file.id);
  }
  await postFiles(server, visitor.sessionId, conversation.id, ids);
  const thread = page.getByRole("region", { name: "Messages" });
  await thread.getByRole("button", { name: "Open bars.webp" }).waitFor();
  await page.waitForFunction(() => {
    const images = [...document.querySelectorAll<HTMLImageElement>(".file-picture img")];
    return images.length === 3 && images.every((image) => image.naturalWidth === 320);
  });
  const row = page.locator(`[data-row="${conversation.id}"]`);
  await row.getByText("3 photos").waitFor();

  // The lightbox, by keyboard; the focus comes back.
  const first = thread.getByRole("button", { name: "Open bars.png" });
  await first.focus();
  await page.keyboard.press("Enter");
  const box = page.getByRole("dialog", { name: "bars.png" });
  await box.getByText("1 of 3").waitFor();
  await page.keyboard.press("ArrowRight");
  await page.getByRole("dialog", { name: "bars.jpeg" }).getByText("2 of 3").waitFor();
  await shoot(page, "lightbox");
  await page.keyboard.press("Escape");
  await page.locator(".lightbox").waitFor({ state: "detached" });
  assert.equal(await first.evaluate((button) => button === document.activeElement), true);

  // Two by the chooser, of which one is too large, and one pasted.
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Attach files" }).click();
  await (await chooser).setFiles([
    asFile("plan.pdf", "application/pdf", new TextEncoder().encode("%PDF-1.7 plan")),
    asFile("film.mp4", "video/mp4", new Uint8Array(200_000)),
  ]);
  const bar = page.getByRole("list", { name: "Files to send" });
  await bar.getByText("This file is larger than 98 KB.").waitFor();
  await bar.getByText("13 B").waitFor();
  await page.getByLabel(/^Reply to/).evaluate((area) => {
    const data = new DataTransfer();
    data.items.add(new File(["MZ\0\0"], "tool.exe"));
    area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
  });
  await bar.getByText("Files of this type cannot be sent here.").waitFor();
  const send = page.getByRole("button", { name: "Send", exact: true });
  assert.equal(await send.getAttribute("aria-disabled"), "true");
  await shoot(page, "attachments");
  assert.deepEqual(await violations(page), []);
  // A note has files of its own.
  await page.getByRole("button", { name: "Note" }).click();
  assert.equal(await bar.count(), 0);
  await page.getByRole("button", { name: "Reply", exact: true }).click();
  await bar.getByRole("button", { name: "Remove film.mp4" }).click();
  await bar.getByRole("button", { name: "Remove tool.exe" }).click();
  await page.keyboard.press("Enter");
  await thread.getByRole("button", { name: "Download plan.pdf" }).waitFor();
  assert.equal(await bar.count(), 0);
  const path = `/api/conversations/${conversation.id}/messages`;
  // It is shown before it is stored.
  await poll(
    async () => {
      const { body } = await call<MessageList>(server, "GET", path, { token });
      return body.items.findLast(({ type }) => type === "text")!.files?.map(({ name }) => name);
    },
    (names) => names?.join() === "plan.pdf",
    "the file without the removed ones",
  );

  // A voice message, by keyboard.
  const record = page.getByRole("button", { name: "Record a voice message" });
  await record.press("Enter");
  await page.getByRole("timer").filter({ hasText: "0:0" }).waitFor();
  await page.getByRole("button", { name: "Attach the recording" }).press("Enter");
  await bar.getByText(/^voice-message\./).waitFor();
  assert.equal(await record.evaluate((button) => button.matches(":focus")), true);
  await send.and(page.locator(":not([aria-disabled])")).click();
  await thread.getByText(/^Voice message · 0:0/).waitFor();
  await page.waitForFunction(() =>
    document.querySelector<HTMLAudioElement>(".file-player audio")?.src.includes("/files/")
  );

  const download = page.waitForEvent("download");
  await thread.getByRole("button", { name: "Download plan.pdf" }).click();
  assert.equal((await download).suggestedFilename(), "plan.pdf");
  await shoot(page, "files");
  assert.deepEqual(await violations(page), []);
}

async function testWidget(page: Page, url: string): Promise<void> {
  const requested: string[] = [];
  page.on("request", (request) => requested.push(request.url()));
  await page.goto(`${url}/demo`);
  await page.getByRole("button", { name: "Chat" }).click();
  const attach = page.getByRole("button", { name: "Attach files" });
  await attach.waitFor();
  const chunk = () => requested.filter((url) => url.includes("/widget/files-")).length;
  assert.equal(chunk(), 0);
  const chooser = page.waitForEvent("filechooser");
  await attach.click();
  await (await chooser).setFiles([
    asFile("bars.png", "image/png", await picture(page, "image/png")),
    asFile("notes.txt", "text/plain", new TextEncoder().encode("Hello")),
    asFile("film.mp4", "video/mp4", new Uint8Array(200_000)),
  ]);
  const bar = page.getByRole("list", { name: "Files to send" });
  await bar.getByText("This file is larger than 98 KB.").waitFor();
  await bar.getByText("5 B").waitFor();
  const send = page.getByRole("button", { name: "Send", exact: true });
  assert.equal(await send.getAttribute("aria-disabled"), "true");
  await shoot(page, "widget-attachments");
  assert.deepEqual(await violations(page), []);
  await bar.getByRole("button", { name: "Remove film.mp4" }).click();
  await page.getByRole("button", { name: "Record a voice message" }).click();
  await bar.or(page.getByRole("timer")).first().waitFor();
  await page.getByRole("button", { name: "Cancel the recording" }).click();
  const field = page.getByRole("textbox", { name: "Message" });
  await field.fill("My garden");
  await field.press("Enter");
  const log = page.getByLabel("Messages", { exact: true });
  const opener = log.getByRole("button", { name: "Open bars.png" });
  await opener.waitFor();
  await log.getByRole("button", { name: "Download notes.txt" }).waitFor();
  await log.getByText("My garden").waitFor();
  assert.equal(await bar.getByRole("listitem").count(), 0);
  await page.waitForFunction(() => {
    const root = [...document.querySelectorAll("*")].find((one) => one.shadowRoot)!.shadowRoot!;
    return root.querySelector<HTMLImageElement>(".picture img")?.naturalWidth === 320;
  });
  assert.equal(chunk(), 1);
  await opener.press("Enter");
  const box = page.getByRole("dialog", { name: "bars.png" });
  await box.getByRole("link", { name: "Download" }).waitFor();
  await page.keyboard.press("Escape");
  await box.waitFor({ state: "detached" });
  // The chat is still open, and has the focus where it was.
  assert.equal(await opener.evaluate((button) => button.matches(":focus")), true);
  await shoot(page, "widget-files");
  assert.deepEqual(await violations(page), []);
}

testWith(
  ["chromium"],
  "files are attached, sent and shown in the inbox and the widget",
  () =>
    withPages(async (url, server, browser) => {
      const { page, complaints } = await visit(browser);
      await signIn(page, url, ADMIN);
      await testInbox(page, url, server);
      const visitor = await visit(browser);
      await testWidget(visitor.page, url);
      assert.deepEqual(visitor.complaints, []);
      // The file whose type is refused.
      assert.deepEqual(complaints.filter((text) => !text.includes("status of 415")), []);
    }, { MAX_FILE_BYTES: "100000" }),
);
