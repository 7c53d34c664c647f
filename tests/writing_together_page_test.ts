/** Two agents in the inbox who write a reply and notes together, and do not get in each other's way. */
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { violations, type Visit, visit } from "./support/browser.ts";
import { call, cast, post } from "./support/http.ts";
import { colleagues } from "./support/notifications.ts";
import { reload, signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

const BEA = { email: "bea.moor@example.com", password: "a long enough password" };

interface Scene {
  browser: Browser;
  url: string;
  conversationId: string;
  visitor: string;
  token: string;
  ada: Visit;
  bea: Visit;
}

async function openAs(browser: Browser, url: string, who: typeof ADMIN, path: string) {
  const guest = await visit(browser);
  await signIn(guest.page, url, who, path);
  return guest;
}

function withScene(fn: (scene: Scene) => Promise<void>): Promise<void> {
  return withPages(async (url, _server, browser) => {
    const [ada] = await colleagues({ url }, "Bea Moor");
    const { conversation, visitor } = await cast({ url });
    await post({ url }, visitor.sessionId, conversation.id, "Where is my parcel?");
    const path = `/conversations/${conversation.id}`;
    const scene = {
      browser,
      url,
      conversationId: conversation.id,
      visitor: visitor.sessionId,
      token: ada!.token,
      ada: await openAs(browser, url, ADMIN, path),
      bea: await openAs(browser, url, BEA, path),
    };
    await fn(scene);
    for (const { complaints } of [scene.ada, scene.bea]) assert.deepEqual(complaints, []);
  }, { LIMIT_CONNECTIONS_PER_MINUTE: "100" });
}

const reply = (page: Page) => page.locator("#composer");
const together = (page: Page) => page.getByRole("button", { name: "Write together" });
const signs = (page: Page) => page.locator(".composer-signs");
const shows = (page: Page, text: string) =>
  page.waitForFunction(
    (text) => document.querySelector<HTMLTextAreaElement>("#composer")?.value === text,
    text,
  );
/** Brings a page to the front, or behind others, as it sees it. */
const turn = (page: Page, visibilityState: "hidden" | "visible") =>
  page.evaluate((value) => {
    Object.defineProperty(document, "visibilityState", { value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, visibilityState);
const bubbles = (page: Page, text: string) => page.locator(".bubble", { hasText: text });

testWith(
  ["chromium"],
  "agents see who else has a conversation open and who replies",
  () =>
    withScene(async ({ ada: { page: ada }, bea: { page: bea } }) => {
      await ada.getByRole("group", { name: "Bea Moor also here" }).waitFor();
      await bea.getByRole("group", { name: "ada also here" }).waitFor();
      await reply(bea).pressSequentially("I look it up");
      await signs(ada).getByText("Bea Moor is replying").waitFor();
      assert.equal(await ada.locator(".viewer[data-busy]").count(), 1);
      // A note is something else than a reply.
      await reply(bea).fill("");
      await bea.getByRole("button", { name: "Note", exact: true }).click();
      await reply(bea).pressSequentially("A note");
      await signs(ada).getByText("Bea Moor is writing a note").waitFor();
      await reply(bea).press("Enter");
      await signs(ada).getByText("Bea Moor is writing a note").waitFor({ state: "detached" });

      // A reply that came while another was written stops that one once, not twice.
      await bea.getByRole("button", { name: "Reply", exact: true }).click();
      await reply(ada).pressSequentially("It is on its");
      await reply(bea).pressSequentially("It comes tomorrow.");
      await reply(bea).press("Enter");
      await signs(ada).getByText("Bea Moor replied while you were writing").waitFor();
      await reply(ada).pressSequentially(" way.");
      await reply(ada).press("Enter");
      const anyway = ada.getByRole("button", { name: "Send anyway" });
      await anyway.waitFor();
      assert.equal(await bubbles(ada, "It is on its way.").count(), 0);
      await anyway.click();
      await bubbles(bea, "It is on its way.").waitFor();
      assert.equal(await signs(ada).getByText("while you were writing").count(), 0);
      await bea.getByRole("button", { name: "Back to the list" }).waitFor({ state: "hidden" });

      // A tab that is forgotten in the background is not looked at; what it missed comes later.
      await bea.clock.install();
      await turn(bea, "hidden");
      await bea.clock.runFor(59_000);
      await ada.getByRole("group", { name: "Bea Moor also here" }).waitFor();
      await bea.clock.runFor(2_000);
      await ada.getByRole("group", { name: "also here" }).waitFor({ state: "detached" });
      await reply(ada).fill("While you were away");
      await reply(ada).press("Enter");
      await bubbles(ada, "While you were away").waitFor();
      await turn(bea, "visible");
      await ada.getByRole("group", { name: "Bea Moor also here" }).waitFor();
      await bubbles(bea, "While you were away").waitFor();
      await bea.goto(new URL("/", bea.url()).href);
      await ada.getByRole("group", { name: "also here" }).waitFor({ state: "detached" });
    }),
);

testWith(
  ["chromium"],
  "agents write a reply together, and send it once",
  () =>
    withScene(async ({ ada: one, bea: two, url, conversationId, visitor, token }) => {
      const [ada, bea] = [one.page, two.page];
      await reply(ada).fill("Dear Grace,");
      await together(ada).click();
      await shows(ada, "Dear Grace,");
      await signs(bea).getByText("ada is writing a reply that you can join").waitFor();
      await signs(bea).getByText("Dear Grace,").waitFor();
      // What is written alone waits until one writes alone again.
      await reply(bea).fill("my own");
      await signs(bea).getByRole("button", { name: "Join" }).click();
      await shows(bea, "Dear Grace,");
      await ada.locator(".writers", { hasText: "Bea Moor writes here" }).waitFor();
      await bea.locator(".writers", { hasText: "ada writes here" }).waitFor();

      await reply(ada).focus();
      await ada.keyboard.press("Control+End");
      await reply(bea).focus();
      await bea.keyboard.press("Control+Home");
      await Promise.all([
        ada.keyboard.type("\nit is on its way.", { delay: 15 }),
        bea.keyboard.type("👋 ", { delay: 15 }),
      ]);
      const text = "👋 Dear Grace,\nit is on its way.";
      await Promise.all([shows(ada, text), shows(bea, text)]);
      const caret = ada.locator(".composer .peer-caret", { hasText: "Bea Moor" });
      await caret.waitFor({ state: "attached" });
      assert.equal(
        await ada.locator(".composer .peer-marks").evaluate((marks) => {
          const range = document.createRange();
          range.setStart(marks, 0);
          range.setEndBefore(marks.querySelector(".peer-caret")!);
          return range.toString();
        }),
        "👋 ",
      );
      assert.deepEqual(await violations(ada), []);
      // Reloaded, it goes on where it was.
      await bea.reload();
      await shows(bea, text);
      await ada.locator(".writers", { hasText: "Bea Moor writes here" }).waitFor();

      // The visitor gets it once, though both send it at once.
      await Promise.all([reply(ada).press("Control+Enter"), reply(bea).press("Control+Enter")]);
      await Promise.all([shows(ada, ""), shows(bea, "")]);
      await bubbles(ada, "it is on its way.").waitFor();
      const path = `/api/conversations/${conversationId}/messages`;
      const told = async () =>
        (await call<{ items: { content: string; sender: { role: string } }[] }>(
          { url },
          "GET",
          path,
          { token: visitor },
        )).body.items.filter(({ sender }) => sender.role === "agent").map(({ content }) => content);
      assert.deepEqual(await told(), [text]);

      // Alone again: what waited is there; what is in the draft stays for the others.
      await reply(ada).fill("for both");
      await shows(bea, "for both");
      await together(bea).click();
      await shows(bea, "my own");
      await signs(bea).getByText("for both").waitFor();
      await signs(bea).getByRole("button", { name: "Join" }).waitFor();
      // The last one takes it along.
      await together(ada).click();
      await shows(ada, "for both");
      await signs(bea).getByRole("button", { name: "Join" }).waitFor({ state: "detached" });
      assert.deepEqual(await told(), [text]);
      // A draft is kept when everybody leaves.
      await together(ada).click();
      await signs(bea).getByText("ada is writing a reply").waitFor();
      await ada.goto(new URL("/", ada.url()).href);
      await signs(bea).getByText("A shared reply is open").waitFor();
      await post({ url }, token, conversationId, "from elsewhere");
      await signs(bea).getByRole("button", { name: "Open" }).click();
      await shows(bea, "for both");
    }),
);

testWith(
  ["chromium"],
  "a page that ends between taking a reply out and sending it has it when it comes again",
  () =>
    withScene(async ({ ada: { page: ada }, bea: { page: bea }, url, conversationId, token }) => {
      // Deaf from the moment on in which the reply is taken out: it never learns that it was.
      await ada.routeWebSocket(/realtime/, (socket) => {
        const server = socket.connectToServer();
        let isDeaf = false;
        socket.onMessage((frame) => {
          isDeaf ||= String(frame).includes('"exact":true');
          server.send(frame);
        });
        server.onMessage((frame) => isDeaf || socket.send(frame));
      });
      await reload(ada);
      // The same words were said before: that is another message.
      await post({ url }, token, conversationId, "Dear Grace,");
      await bubbles(ada, "Dear Grace,").waitFor();
      await together(ada).click();
      await reply(ada).pressSequentially("Dear Grace,");
      await signs(bea).getByRole("button", { name: "Join" }).click();
      await shows(bea, "Dear Grace,");
      await reply(ada).press("Control+Enter");
      await shows(bea, "");
      await ada.reload();
      await shows(ada, "Dear Grace,");
      await shows(bea, "Dear Grace,");
      // Sent in the end, it is there once, and does not come back.
      await reply(bea).press("Control+Enter");
      await bubbles(ada, "Dear Grace,").nth(1).waitFor();
      await ada.reload();
      await bubbles(ada, "Dear Grace,").nth(1).waitFor();
      await shows(ada, "");
      const path = `/api/conversations/${conversationId}/messages`;
      const { items } =
        (await call<{ items: { content: string }[] }>({ url }, "GET", path, { token })).body;
      assert.equal(items.filter(({ content }) => content === "Dear Grace,").length, 2);
    }),
);

testWith(
  ["chromium"],
  "a reply that is sent as the connection breaks is sent once, and is in no draft any more",
  () =>
    withScene(async ({ ada: { page: ada }, bea: { page: bea }, url, conversationId, token }) => {
      // The server never gets the first command that takes the reply out.
      let isBroken = false;
      await ada.routeWebSocket(/realtime/, (socket) => {
        const server = socket.connectToServer();
        socket.onMessage((frame) => {
          if (isBroken || !String(frame).includes('"exact":true')) return server.send(frame);
          isBroken = true;
          void server.close();
          void socket.close({ code: 1012 });
        });
      });
      await reload(ada);
      await together(ada).click();
      await reply(ada).pressSequentially("Thanks!");
      await signs(bea).getByRole("button", { name: "Join" }).click();
      await shows(bea, "Thanks!");
      await reply(ada).press("Control+Enter");
      await bubbles(bea, "Thanks!").waitFor();
      await bubbles(ada, "Thanks!").waitFor();
      assert.ok(isBroken);
      await Promise.all([shows(ada, ""), shows(bea, "")]);
      // What would come back is in front of what is written after it.
      await reply(bea).pressSequentially("Next");
      await Promise.all([shows(ada, "Next"), shows(bea, "Next")]);
      const path = `/api/conversations/${conversationId}/messages`;
      const { items } =
        (await call<{ items: { content: string }[] }>({ url }, "GET", path, { token })).body;
      assert.equal(items.filter(({ content }) => content === "Thanks!").length, 1);
    }),
);

testWith(
  ["chromium"],
  "agents keep notes on a contact together, in all conversations",
  () =>
    withScene(async ({ ada: one, bea: two, browser, url, conversationId, token }) => {
      const [ada, bea] = [one.page, two.page];
      const notes = (page: Page) =>
        page.getByRole("textbox", { name: /^Notes about this contact/ });
      const noted = (page: Page, text: string) =>
        page.waitForFunction(
          (text) => document.querySelector<HTMLTextAreaElement>(".notes textarea")?.value === text,
          text,
        );
      await notes(ada).fill("Prefers mail.");
      await noted(bea, "Prefers mail.");
      await ada.locator(".notes-foot", { hasText: "Saved" }).waitFor();
      await notes(bea).focus();
      await bea.keyboard.press("Control+End");
      await bea.keyboard.type(" Likes tea.");
      await noted(ada, "Prefers mail. Likes tea.");
      await ada.locator(".notes .writers", { hasText: "Bea Moor writes here" }).waitFor();
      await bea.locator(".notes-foot", { hasText: "Saved" }).waitFor();
      // Written without a connection, it is kept and saved later.
      await one.context.setOffline(true);
      await ada.evaluate(() => globalThis.dispatchEvent(new Event("offline")));
      await ada.locator(".notes-foot", { hasText: "Not connected" }).waitFor({ timeout: 60_000 });
      await notes(ada).pressSequentially("VIP ");
      await one.context.setOffline(false);
      await bea.waitForFunction(() =>
        document.querySelector<HTMLTextAreaElement>(".notes textarea")!.value.includes("VIP ")
      );
      one.complaints.length = 0;
      assert.deepEqual(await violations(bea), []);
      // Who comes later, on a phone, finds them in the details.
      const phone = await browser.newContext({ viewport: { width: 390, height: 844 } });
      await phone.addCookies(await two.context.cookies());
      const small = await phone.newPage();
      await small.goto(`${url}/conversations/${conversationId}`);
      await small.getByRole("button", { name: "Show details" }).click();
      await small.waitForFunction(() =>
        document.querySelector<HTMLTextAreaElement>(".notes textarea")?.value.includes("VIP ")
      );
      // No visitor finds them anywhere.
      const { body } = await call({ url }, "GET", `/api/conversations/${conversationId}`, {
        token,
      });
      assert.ok(!JSON.stringify(body).includes("VIP"));
      await phone.close();
    }),
);
