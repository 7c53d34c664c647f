import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Browser, Page } from "playwright-core";
import type { DraftList } from "../protocol/drafts.ts";
import type { Conversation } from "../protocol/model.ts";
import type { MessageList } from "../protocol/rest.ts";
import { settle, violations, visit } from "./support/browser.ts";
import { poll } from "./support/deadline.ts";
import { call, post } from "./support/http.ts";
import { makeLabel } from "./support/labels.ts";
import { type Colleague, colleagues, newVisitor } from "./support/notifications.ts";
import { open, signIn, withPages } from "./support/pages.ts";
import { ADMIN, type TestServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";

/** Where pictures go, to be looked at; unset: nowhere. */
const SHOTS = Deno.env.get("PARLEY_TEST_SHOTS");

async function shoot(page: Page, name: string): Promise<void> {
  if (!SHOTS) return;
  const size = page.viewportSize()!;
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
      await page.setViewportSize(viewport);
      await settle(page);
      await page.screenshot({ path: `${SHOTS}/${name}-${scheme}-${viewport.width}.png` });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(size);
}

interface Stage {
  url: string;
  server: TestServer;
  browser: Browser;
  ada: Colleague;
}

/** A visitor with one message, and the address of their conversation. */
async function ask({ server, ada, url }: Stage, question = "Where is my parcel?") {
  const visitor = await newVisitor(server, ada);
  await post(server, visitor.sessionId, visitor.conversationId, question);
  return { ...visitor, address: `${url}/conversations/${visitor.conversationId}` };
}

const reply = (page: Page) => page.getByRole("textbox", { name: /^Reply to/ });

async function drafts({ url, server, browser, ada }: Stage) {
  const stage = { url, server, browser, ada };
  const visitor = await ask(stage);
  const other = await ask(stage, "Anybody there?");
  const saved = async () => {
    const { body } = await call<DraftList>(server, "GET", "/api/drafts", { token: ada.token });
    return body.items.map(({ content }) => content).sort();
  };
  const untilSaved = (...contents: string[]) =>
    poll(saved, (found) => JSON.stringify(found) === JSON.stringify(contents), "saved drafts");
  const [one, two] = [await visit(browser), await visit(browser)];
  await signIn(one.page, url, ADMIN, new URL(visitor.address).pathname);
  await signIn(two.page, url, ADMIN);
  await reply(one.page).fill("It is on its way");
  await untilSaved("It is on its way");
  // Marked in the list of the other device, and there to go on with.
  const row = two.page.locator(`[data-row="${visitor.conversationId}"]`);
  await row.getByText("Draft: It is on its way").waitFor();
  await shoot(two.page, "draft-row");
  await row.click();
  await reply(two.page).waitFor();
  assert.equal(await reply(two.page).inputValue(), "It is on its way");
  // Rendered with it, after a reload.
  await one.page.route("**/api/drafts?*", (route) => route.abort());
  await one.page.reload();
  assert.equal(await reply(one.page).inputValue(), "It is on its way");
  await one.page.unroute("**/api/drafts?*");
  await open(one.page, one.page.url());

  // Both go on at once: no text is lost, and the agent chooses.
  await one.context.setOffline(true);
  await reply(one.page).fill("Sorry for the wait");
  await reply(two.page).fill("It arrives tomorrow");
  await untilSaved("It arrives tomorrow");
  await one.context.setOffline(false);
  await one.page.getByText("You wrote something else on another device:").waitFor();
  assert.equal(await reply(one.page).inputValue(), "Sorry for the wait");
  assert.deepEqual(await violations(one.page), []);
  await shoot(one.page, "draft-conflict");
  await one.page.getByRole("button", { name: "Keep both" }).click();
  await untilSaved("Sorry for the wait\nIt arrives tomorrow");
  await two.page.waitForFunction(() =>
    document.querySelector<HTMLTextAreaElement>("#composer")?.value.startsWith("Sorry")
  );
  // Sent from one device, it is gone on both.
  await reply(two.page).press("Enter");
  await untilSaved();
  await one.page.waitForFunction(() =>
    document.querySelector<HTMLTextAreaElement>("#composer")?.value === ""
  );
  await row.getByText("Draft:").waitFor({ state: "detached" });

  // What is not saved yet is saved when the page is left; after a sign-out the browser has nothing.
  await open(one.page, other.address);
  await reply(one.page).fill("One moment");
  await one.page.getByRole("button", { name: /^Account of/ }).click();
  await one.page.getByRole("menuitem", { name: "Sign out" }).click();
  await one.page.waitForURL(/\/login/);
  await untilSaved("One moment");
  const kept = await one.page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }])
  );
  assert.ok(!kept.includes("moment"), kept);
  await two.page.locator(`[data-row="${other.conversationId}"]`).getByText("Draft: One moment")
    .waitFor();
  const remark = /ERR_INTERNET_DISCONNECTED|ERR_FAILED|status of (401|412)/;
  for (const { complaints } of [one, two]) {
    assert.deepEqual(complaints.filter((text) => !remark.test(text)), []);
  }
  await one.context.close();
  await two.context.close();
}

async function helpers({ url, server, browser, ada }: Stage) {
  const stage = { url, server, browser, ada };
  const visitor = await ask(stage, "I want my money back");
  const make = (body: unknown) =>
    call(server, "POST", "/api/canned-responses", { token: ada.token, body });
  const label = await makeLabel(server, ada.token, "Refund", { color: "red" });
  const content = "Hi {{contact.firstName|there}}, {{agent.name}} here.\nYour order {{order.id}}?";
  await make({ shortCode: "hello", content, folder: "Greetings" });
  await make({ shortCode: "mine", content: "Only I say this", shared: false });
  const actions = { addLabels: [label.id], assignTo: "me", status: "resolved" };
  await make({ shortCode: "refund-done", content: "The money is on its way.", actions });
  await make({ shortCode: "claim", content: "", actions: { assignTo: "me" } });
  const { page, complaints, context } = await visit(browser);
  await signIn(page, url, ADMIN, new URL(visitor.address).pathname);
  const bubble = (text: string) => page.locator(".bubble", { hasText: text });
  const holds = (text: string) =>
    page.waitForFunction(
      (wanted) =>
        document.querySelector<HTMLTextAreaElement>("#composer")?.value.startsWith(wanted),
      text,
    );

  // By keys alone. What has no value is said before it is sent.
  await reply(page).fill("");
  await page.keyboard.type("/");
  await page.getByRole("option", { name: "hello" }).waitFor();
  await shoot(page, "canned");
  assert.deepEqual(await violations(page), []);
  await page.keyboard.type("gree");
  await page.getByRole("option", { name: "mine" }).waitFor({ state: "detached" });
  await page.keyboard.press("Enter");
  await holds("Hi there, ada here.");
  await page.keyboard.press("Enter");
  await page.getByText("{{order.id}} has no value here.").waitFor();
  assert.equal(await bubble("Hi there").count(), 0);
  await reply(page).fill("Hi there, ada here.");
  await page.keyboard.press("Enter");
  await bubble("Hi there, ada here.").waitFor();

  // Emoji by name, and in the picker.
  await page.keyboard.type("Great :tad");
  await page.getByRole("option", { name: "party popper" }).waitFor();
  await page.keyboard.press("Tab");
  await holds("Great 🎉 ");
  await page.getByRole("button", { name: "Emoji" }).click();
  await page.getByRole("combobox", { name: "Find an emoji" }).waitFor();
  await page.getByRole("option", { name: "grinning face", exact: true }).waitFor();
  await shoot(page, "emoji");
  assert.deepEqual(await violations(page), []);
  await page.keyboard.type("rocket");
  await page.keyboard.press("Enter");
  await holds("Great 🎉 🚀");
  await reply(page).fill("");

  // A macro without text acts at once; one with text when it is sent.
  await page.keyboard.type("/claim");
  await page.getByRole("option", { name: "claim" }).click();
  await page.getByText("Macro done: assign to you.").waitFor();
  assert.equal(await reply(page).inputValue(), "");
  await page.getByRole("button", { name: "Canned replies" }).click();
  await page.keyboard.type("refund");
  await page.getByRole("option", { name: "refund-done" }).click();
  await page.getByText("When sent: add Refund, assign to you, resolve").waitFor();
  await shoot(page, "macro");
  assert.deepEqual(await violations(page), []);
  await reply(page).press("Enter");
  await bubble("The money is on its way.").waitFor();
  await page.getByText("Macro done: add Refund, assign to you, resolve.").waitFor();
  const { body } = await call<Conversation>(
    server,
    "GET",
    `/api/conversations/${visitor.conversationId}`,
    { token: ada.token },
  );
  assert.equal(body.status, "resolved");
  assert.deepEqual(body.labels?.map(({ name }) => name), ["Refund"]);
  assert.equal(body.assignee?.userId, ada.id);
  assert.deepEqual(complaints, []);
  await context.close();
}

async function settings({ url, server, browser, ada }: Stage) {
  const { page, complaints, context } = await visit(browser);
  await signIn(page, url, ADMIN, "/settings/canned-replies");
  const form = page.getByRole("form", { name: "Canned reply" });
  const row = (code: string) => page.locator("li", { hasText: `/${code}` });
  await page.getByRole("button", { name: "New reply" }).first().click();
  await page.keyboard.press("Enter");
  await form.getByText("Enter a short code.").waitFor();
  await form.getByLabel("Short code").fill("/Refund-2");
  await form.getByRole("button", { name: "contact.name" }).click();
  assert.equal(await form.getByLabel("Text").inputValue(), "{{contact.name}}");
  await form.getByLabel("Folder (optional)").fill("Money");
  await form.getByLabel("Add labels").selectOption({ label: "Refund" });
  await form.getByLabel("Status").selectOption({ label: "Resolve" });
  await shoot(page, "canned-form");
  assert.deepEqual(await violations(page), []);
  await form.getByRole("button", { name: "Add reply" }).click();
  await row("refund-2").getByText("Add Refund, resolve").waitFor();
  await page.getByRole("button", { name: "New reply" }).first().click();
  await form.getByLabel("Short code").fill("refund-2");
  await form.getByLabel("Text").fill("Twice");
  await page.getByRole("button", { name: "Add reply" }).click();
  await form.getByText("A canned reply with this short code already exists.").waitFor();
  await form.getByText("Only you").click();
  await page.getByRole("button", { name: "Add reply" }).click();
  await form.waitFor({ state: "detached" });
  assert.equal(await row("refund-2").count(), 2);
  await page.getByLabel("Find a reply").fill("twice");
  await row("refund-2").filter({ hasText: "{{contact.name}}" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Delete /refund-2" }).click();
  await page.getByRole("button", { name: "Delete reply" }).click();
  await page.getByText("No canned reply has “twice”.").waitFor();
  await page.getByLabel("Find a reply").fill("");

  await page.getByRole("button", { name: "Import" }).click();
  await page.getByLabel("File with canned replies").setInputFiles({
    name: "replies.csv",
    mimeType: "text/csv",
    buffer: Buffer.from("name,text\nprice,5 €\nrefund-2,No\nbad!,x\n"),
  });
  await page.getByText("1 reply was added. 2 were left out:").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole("button", { name: "Done", exact: true }).click();
  await row("price").waitFor();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Export" }).click(),
  ]);
  const file = JSON.parse(await Deno.readTextFile((await download.path())!));
  const [macro] = file.filter(({ shortCode }: { shortCode: string }) => shortCode === "refund-2");
  assert.deepEqual(macro.actions, { addLabels: ["Refund"], status: "resolved" });
  await Promise.all([
    page.waitForResponse("**/api/canned-response-settings"),
    page.getByText("Admins", { exact: true }).click(),
  ]);
  const { body } = await call(server, "GET", "/api/canned-response-settings", {
    token: ada.token,
  });
  assert.deepEqual(body, { managedBy: "admins" });
  await shoot(page, "canned-page");
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    assert.deepEqual(await violations(page), []);
  }
  assert.deepEqual(complaints.filter((text) => !/status of (409|422)/.test(text)), []);
  await context.close();
}

async function undoSend({ url, server, browser, ada }: Stage) {
  const visitor = await ask({ url, server, browser, ada });
  const { page, complaints, context } = await visit(browser);
  await signIn(page, url, ADMIN, "/settings/profile");
  const saved = page.waitForResponse("**/api/preferences");
  await page.getByText("10 seconds").click();
  await saved;
  await open(page, visitor.address);
  const bubble = (text: string) => page.locator(".bubble", { hasText: text });
  const stored = async () => {
    const path = `/api/conversations/${visitor.conversationId}/messages`;
    const { body } = await call<MessageList>(server, "GET", path, { token: ada.token });
    return body.items.filter(({ type }) => type === "text").map(({ content }) => content);
  };
  const send = async (text: string) => {
    await reply(page).fill(text);
    await reply(page).press("Enter");
    await page.getByText("Your reply is about to be sent.").waitFor();
    assert.equal(await reply(page).inputValue(), "");
  };
  await send("Never mind");
  await reply(page).press("Control+z");
  await page.getByText("Your reply is about to be sent.").waitFor({ state: "detached" });
  assert.equal(await reply(page).inputValue(), "Never mind");
  assert.deepEqual(await stored(), ["Where is my parcel?"]);
  await send("It is here");
  await page.getByRole("button", { name: "Send now" }).click();
  await bubble("It is here").waitFor();
  // A page that is left sends what waits, once.
  await send("And one more thing");
  await page.goto(`${url}/settings/profile`);
  await poll(stored, (all) => all.includes("And one more thing"), "what the page left behind");
  await open(page, visitor.address);
  await bubble("And one more thing").waitFor();
  assert.deepEqual(await stored(), ["Where is my parcel?", "It is here", "And one more thing"]);
  assert.equal(await reply(page).inputValue(), "");
  // Last, because a slow machine looks for longer than a reply waits.
  await send("Bye");
  await shoot(page, "undo");
  assert.deepEqual(await violations(page), []);
  await call(server, "PATCH", "/api/preferences", {
    token: ada.token,
    body: { undoSendSeconds: 0 },
  });
  assert.deepEqual(complaints, []);
  await context.close();
}

async function later({ url, server, browser, ada }: Stage) {
  const visitor = await ask({ url, server, browser, ada });
  const { page, complaints, context } = await visit(browser);
  await signIn(page, url, ADMIN, new URL(visitor.address).pathname);
  const waiting = page.getByRole("region", { name: "Scheduled replies" });
  const choose = async (text: string, name: RegExp) => {
    await reply(page).fill(text);
    await page.getByRole("button", { name: "Send later" }).click();
    const dialog = page.getByRole("dialog", { name: "Send later" });
    await dialog.getByRole("button", { name }).click();
    await dialog.waitFor({ state: "detached" });
    assert.equal(await reply(page).inputValue(), "");
  };
  await reply(page).fill("See you");
  await page.getByRole("button", { name: "Send later" }).click();
  await page.getByLabel("At another time", { exact: true }).last().fill("2020-01-01T09:00");
  await page.getByRole("button", { name: "Schedule" }).click();
  await page.getByText("The time must be in the future.").waitFor();
  await shoot(page, "later");
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("Escape");
  assert.equal(await reply(page).inputValue(), "See you");
  await choose("See you", /^Tomorrow/);
  await waiting.getByText(/^Scheduled for tomorrow, 9:00/).waitFor();
  await choose("In a moment", /^In an hour/);
  await waiting.getByText("In a moment").waitFor();
  await shoot(page, "scheduled");
  assert.deepEqual(await violations(page), []);
  const of = (text: string) => waiting.locator(".composer-sign", { hasText: text });
  await of("In a moment").getByRole("button", { name: "Send now" }).click();
  await page.locator(".bubble", { hasText: "In a moment" }).waitFor();
  await of("In a moment").waitFor({ state: "detached" });
  await of("See you").getByRole("button", { name: "Edit" }).click();
  await waiting.waitFor({ state: "detached" });
  await page.waitForFunction(() =>
    document.querySelector<HTMLTextAreaElement>("#composer")?.value === "See you"
  );
  assert.deepEqual(complaints.filter((text) => !/status of 422/.test(text)), []);
  await context.close();
}

async function thread({ url, server, browser, ada }: Stage) {
  const visitor = await ask({ url, server, browser, ada }, "First question");
  const first = await ask({ url, server, browser, ada }, "Somebody else");
  const say = (text: string, token = visitor.sessionId) =>
    post(server, token, visitor.conversationId, text);
  for (let n = 1; n <= 30; n++) await say(`Line ${n}`, ada.token);
  await say("Are you there?");
  await say("Hello?");
  const { page, complaints, context } = await visit(browser);
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await signIn(page, url, ADMIN, new URL(first.address).pathname);
  await page.locator(`[data-row="${visitor.conversationId}"]`).click();
  const line = page.locator(".thread-new");
  await line.waitFor();
  const next = line.locator("xpath=following-sibling::article").first();
  assert.match(await next.innerText(), /Are you there/);
  await say("Hello??");
  await page.locator(".bubble", { hasText: "Hello??" }).waitFor();
  assert.match(await next.innerText(), /Are you there/);
  await shoot(page, "new-line");
  assert.deepEqual(await violations(page), []);

  // Far from the end there is a way back.
  const top = page.locator(".bubble", { hasText: "First question" });
  await top.scrollIntoViewIfNeeded();
  await page.getByRole("button", { name: "Jump to latest" }).click();
  await page.locator(".bubble", { hasText: "Hello??" }).waitFor();
  await page.getByRole("button", { name: "Jump to latest" }).waitFor({ state: "detached" });

  // A message by keys: its link leads to it.
  await page.locator(".bubble-line").last().focus();
  await page.keyboard.press("Home");
  await page.waitForFunction(() => document.activeElement?.textContent?.includes("First question"));
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Copy link" }).waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole("menuitem", { name: "Copy link" }).click();
  await page.getByText("The link is copied.").waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  await open(page, link);
  await page.waitForFunction(() =>
    document.activeElement?.textContent?.includes("First question") &&
    document.activeElement.classList.contains("bubble-line")
  );

  // A reply that was sent becomes a canned one.
  await page.locator(".bubble", { hasText: "Line 2" }).first().hover();
  await page.locator(".message-menu").getByRole("button").click();
  await page.getByRole("menuitem", { name: "Save as canned reply" }).click();
  const form = page.getByRole("form", { name: "Canned reply" });
  assert.equal(await form.getByLabel("Text").inputValue(), "Line 2");
  await form.getByLabel("Short code").fill("line-two");
  await form.getByRole("button", { name: "Add reply" }).click();
  await page.getByText("“/line-two” is added.").waitFor();
  await page.getByRole("button", { name: "Note", exact: true }).click();
  await page.getByRole("textbox", { name: "Note only your team can see" }).fill("@ada look");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(".bubble .mention[data-me]").innerText(), "@ada");
  assert.deepEqual(complaints, []);
  await context.close();
}

testWith(
  ["chromium"],
  "the composer, with all that helps to write",
  (t) =>
    withPages(async (url, server, browser) => {
      const [ada] = await colleagues(server);
      const stage: Stage = { url, server, browser, ada: ada! };
      {
        {
          {
            await t.step("drafts are on all devices, and none is lost", () => drafts(stage));
          }
        }
      }
      {
        {
          {
            await t.step("canned replies, macros and emoji come by keys", () => helpers(stage));
          }
        }
      }
      {
        {
          await t.step(
            "canned replies have a page, and come and go as files",
            () => settings(stage),
          );
        }
      }
      {
        {
          await t.step("a reply can be taken back for some seconds", () => undoSend(stage));
        }
      }
      {
        await t.step("a reply is sent later, and can be changed until then", () => later(stage));
      }
      await t.step(
        "the thread marks what is new, and every message has a menu",
        () => thread(stage),
      );
    }),
);
