import assert from "node:assert/strict";
import type { Browser, Locator, Page } from "playwright-core";
import { visit, withBrowser } from "./support/browser.ts";
import { call, login, widgetKey } from "./support/http.ts";
import { alive, open, reload, withPages } from "./support/pages.ts";
import { startProcess } from "./support/process.ts";
import { ADMIN, type TestServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { makeDataDir } from "./support/template.ts";

/** Each protocol on each side, beside one that can do what it can: typing, read marks, or both. */
const PAIRS = [
  ["native", "socket-io-polling"],
  ["socket-io-polling", "native"],
  ["scoped", "socket-io-websocket"],
  ["socket-io-websocket", "scoped"],
  ["topics", "socket-io-websocket"],
  ["socket-io-websocket", "topics"],
  ["chat-json", "chat-json"],
] as const;
type Protocol = (typeof PAIRS)[number][0];

/** What a message that comes in is called in the frames. */
const INCOMING: Record<Protocol, string> = {
  native: "message",
  "chat-json": "chat",
  scoped: "message",
  topics: "conversationEvent",
  "socket-io-websocket": "message_received",
  "socket-io-polling": "message_received",
};
/** What is sent with a new token, and how often until then. */
const RENEWALS: [Protocol, string, number][] = [
  ["native", "refresh", 1],
  ["chat-json", "auth", 2],
  ["scoped", "refresh", 1],
  ["topics", "auth", 1],
  ["socket-io-websocket", "authenticate", 1],
];
const NO_TYPING = ["chat-json", "topics"];
const NO_READ_MARKS = ["chat-json", "scoped"];
/** What a browser says by itself while a server is away, or of an address that was refused. */
const NOISE = /ERR_|WebSocket|status of \d+/;

/** A server that can be killed is a process of its own. */
async function withMortalServer(
  fn: (url: string, browser: Browser, restart: () => Promise<void>) => Promise<void>,
) {
  const dataDir = await makeDataDir();
  const env = {
    DATA_DIR: dataDir,
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
  };
  let server = await startProcess(env);
  const { port } = new URL(server.url);
  const restart = async () => {
    await server.kill("SIGKILL");
    server = await startProcess({ ...env, PORT: port });
  };
  try {
    const url = server.url.replace("127.0.0.1", "localhost");
    await withBrowser((browser) => fn(url, browser, restart));
  } finally {
    await server.kill("SIGTERM");
    await Deno.remove(dataDir, { recursive: true });
  }
}

async function signIn(page: Page, url: string, next: string, who = ADMIN) {
  await page.goto(url + next);
  await page.waitForURL("**/login?next=*");
  await page.getByLabel("E-mail").fill(who.email);
  await page.getByLabel("Password", { exact: true }).fill(who.password);
  await page.keyboard.press("Enter");
  await alive(page);
}

function sideOf(page: Page, name: "Customer" | "Agent") {
  const root = page.getByRole("region", { name, exact: true });
  const box = root.getByRole("textbox", { name: /^Message to/ });
  const log = root.getByRole("log");
  return {
    root,
    box,
    log,
    press: (label: string) => root.getByRole("button", { name: label, exact: true }).click(),
    is: (state: string) => root.getByText(state, { exact: true }).waitFor(),
    async connect(protocol: Protocol) {
      await root.getByLabel("Protocol").selectOption(protocol);
      await this.press("Connect");
      await this.is("Connected");
    },
    async write(text: string) {
      await box.fill(text);
      await this.press("Send");
    },
    sees: (text: string) => log.getByText(text, { exact: true }).waitFor(),
    frames: root.getByRole("region", { name: /^Frames of/ }).locator(".frame-type"),
  };
}

async function textsOf(log: Locator): Promise<string[]> {
  return await log.locator(".bubble").allInnerTexts();
}

testWith(
  ["chromium"],
  "customer and agent talk on the test page, each in any protocol, through an absence",
  (t) =>
    withPages(async (url, _server, browser) => {
      const { page, complaints } = await visit(browser);
      await signIn(page, url, "/websocket-test.html");
      assert.equal(new URL(page.url()).pathname, "/websocket-test");
      const customer = sideOf(page, "Customer"), agent = sideOf(page, "Agent");
      for (const [mine, theirs] of PAIRS) {
        const where = `customer: ${mine}, agent: ${theirs}`;
        const done = await t.step(where, async () => {
          await customer.connect(mine);
          await agent.connect(theirs);

          await customer.write("Is the blue teapot in stock?");
          await agent.sees("Is the blue teapot in stock?");
          await agent.write("It is.");
          await customer.sees("It is.");
          await customer.root.getByText(/stored in .* m?s, received in .* m?s/).waitFor();

          const typing = ![mine, theirs].some((one) => NO_TYPING.includes(one));
          if (typing) {
            await customer.box.pressSequentially("And");
            await agent.root.getByText("Test customer is typing").waitFor();
          }
          await customer.write("Please keep one");
          await agent.sees("Please keep one");
          const last = customer.log.getByRole("article").filter({ hasText: "Please keep one" });
          await last.getByText("Stored", { exact: true }).waitFor();
          if (![mine, theirs].some((one) => NO_READ_MARKS.includes(one))) {
            await agent.press("Mark as read");
            await last.getByText("Read", { exact: true }).waitFor();
          }

          await customer.press("Go offline");
          await customer.is("Offline");
          await agent.write("One while you are away");
          await agent.sees("One while you are away");
          await agent.write("Another one");
          const stored = agent.log.getByRole("article").filter({ hasText: "Another one" });
          await stored.getByText("Stored", { exact: true }).waitFor();
          await customer.write("Written offline");
          await customer.log.getByText("Waits for the connection").waitFor();
          assert.equal(await customer.log.getByText("Another one").count(), 0);
          await customer.press("Come back");
          await customer.is("Connected");
          await customer.sees("Another one");
          await agent.sees("Written offline");
          const all = [
            "Is the blue teapot in stock?",
            "It is.",
            "Please keep one",
            "One while you are away",
            "Another one",
            "Written offline",
          ];
          await customer.log.getByText("Waits for the connection").waitFor({ state: "detached" });
          assert.deepEqual(await textsOf(customer.log), all, where);
          assert.deepEqual(await textsOf(agent.log), all, where);
          assert.equal(await customer.log.getByText("Missed while away").count(), 2, where);
          await customer.root.getByText(/^2 missed messages arrived/).waitFor();

          for (const [side, protocol] of [[customer, mine], [agent, theirs]] as const) {
            const types = (await side.frames.allInnerTexts()).flatMap((type) => type.split(", "));
            assert.ok(types.includes(INCOMING[protocol]), `${where}: ${types.join(" ")}`);
            assert.equal(await side.root.locator(".notice").count(), 0, where);
          }
          await page.getByRole("button", { name: "New conversation" }).click();
          await customer.is("Not connected");
          assert.deepEqual(await textsOf(agent.log), []);
        });
        if (!done) return;
      }
      assert.deepEqual(complaints.filter((one) => !NOISE.test(one)), []);
    }),
);

testWith(
  ["chromium"],
  "a side changes its protocol in the middle of the conversation, and a reload keeps it",
  () =>
    withPages(async (url, _server, browser) => {
      const { page } = await visit(browser);
      await signIn(page, url, "/websocket-test");
      const customer = sideOf(page, "Customer"), agent = sideOf(page, "Agent");
      await customer.connect("native");
      await agent.connect("native");
      await customer.write("First");
      await agent.sees("First");
      await customer.root.getByLabel("Protocol").selectOption("topics");
      await customer.is("Connected");
      await agent.write("Second");
      await customer.sees("Second");
      assert.deepEqual(await textsOf(customer.log), ["First", "Second"]);
      await reload(page);
      await customer.connect("chat-json");
      await customer.sees("Second");
      assert.deepEqual(await textsOf(customer.log), ["First", "Second"]);
      assert.equal(await customer.log.getByText("Missed while away").count(), 0);
      await page.getByRole("link", { name: "Open in the inbox" }).click();
      await page.waitForURL("**/conversations/*");
      await page.getByLabel("Messages", { exact: true }).getByText("Second").waitFor();

      // Another conversation leaves nothing open behind it.
      const before = page.url();
      await open(page, `${url}/websocket-test`);
      await customer.connect("native");
      const resolved = page.waitForResponse((answer) => answer.request().method() === "PATCH");
      await page.getByRole("button", { name: "New conversation" }).click();
      await resolved;
      await page.goto(before);
      await page.getByRole("button", { name: "Reopen" }).first().waitFor();
    }),
);

testWith(
  ["chromium"],
  "a connection outlives its token, in every protocol",
  () =>
    withPages(async (url, _server, browser) => {
      const { page } = await visit(browser);
      await signIn(page, url, "/websocket-test");
      const agent = sideOf(page, "Agent");
      for (const [protocol, renewal, times] of RENEWALS) {
        await agent.connect(protocol);
        const sent = agent.root.getByRole("button", { name: new RegExp(`^Sent .* ${renewal} `) });
        await sent.nth(times - 1).waitFor();
        await agent.is("Connected");
        await agent.write(`Still there, ${protocol}`);
        const line = agent.log.getByRole("article").filter({ hasText: `there, ${protocol}` });
        await line.getByText("Stored", { exact: true }).waitFor();
        assert.equal(await agent.root.locator(".notice").count(), 0, protocol);
        await agent.press("Disconnect");
        await agent.press("Clear");
      }
    }, { ACCESS_TOKEN_MS: "3000" }),
);

testWith(
  ["chromium"],
  "the frame log shows a frame in full, filters, copies without secrets, and is cleared",
  () =>
    withPages(async (url, _server, browser) => {
      const { page, context } = await visit(browser);
      await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });
      await signIn(page, url, "/websocket-test");
      const customer = sideOf(page, "Customer");
      await customer.connect("native");
      await customer.write("Show me");
      await customer.log.getByText("Stored").waitFor();
      const log = customer.root.getByRole("region", { name: "Frames of the customer" }).last();

      const sent = log.getByRole("button", { name: /^Sent .* message/ });
      await sent.focus();
      await page.keyboard.press("Enter");
      assert.equal(await sent.getAttribute("aria-expanded"), "true");
      const frame = JSON.parse(await log.locator(".frame-text").innerText());
      assert.deepEqual([frame.type, frame.data.content], ["message", "Show me"]);

      await customer.root.getByRole("searchbox").fill("welcome");
      assert.deepEqual(await customer.frames.allInnerTexts(), ["welcome"]);
      await customer.root.getByRole("searchbox").fill("no such thing");
      await log.getByText("No frame matches the filter.").waitFor();
      await customer.root.getByRole("searchbox").fill("");
      await customer.root.getByText("Out", { exact: true }).click();
      assert.ok(!(await customer.frames.allInnerTexts()).includes("welcome"));

      await customer.press("Copy");
      await customer.root.getByRole("button", { name: "Copied" }).waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assert.match(copied, /→ .*"content":"Show me"/);
      assert.match(copied, /"type":"auth".*"sessionId":"…"/);

      await customer.press("Clear");
      await log.getByText("Sent and received frames appear here.").waitFor();
    }),
);

testWith(
  ["chromium"],
  "a server that is away, ends the connection or says no is told in words, and nothing is lost",
  () =>
    withMortalServer(async (url, browser, restart) => {
      const { page } = await visit(browser);
      await signIn(page, url, "/websocket-test");
      const customer = sideOf(page, "Customer"), agent = sideOf(page, "Agent");
      await customer.connect("native");
      await agent.connect("chat-json");
      await customer.write("Before");
      await agent.sees("Before");

      const back = restart();
      await customer.root.getByText(/^Lost, trying again in/).first().waitFor();
      await customer.write("While the server was away");
      await back;
      await customer.is("Connected");
      await agent.is("Connected");
      await agent.sees("While the server was away");
      assert.deepEqual(await textsOf(agent.log), ["Before", "While the server was away"]);

      const server = { url };
      const { token, user } = await login(server);
      await call(server, "POST", "/api/connections/disconnect", {
        token,
        body: { userId: user.id },
      });
      await agent.is("Refused");
      await agent.root.getByText("Disconnected by the server (3503).").waitFor();
      await agent.press("Connect");
      await agent.is("Connected");

      // A message that the server refuses can be tried again, and taken back.
      await agent.write(" \u00a0 x".repeat(10) + "\u0000");
      await agent.log.getByText(/^Not sent\./).waitFor();
      await agent.log.getByRole("button", { name: "Discard" }).click();
      await agent.log.getByText(/^Not sent\./).waitFor({ state: "detached" });
    }),
);

testWith(
  ["chromium"],
  "who is no admin is told why the scoped customer cannot connect, and can use the others",
  () =>
    withPages(async (url, server, browser) => {
      const { token } = await login(server);
      const person = { email: "grace@example.com", password: "a long enough password" };
      await call(server, "POST", "/api/users", {
        token,
        body: { ...person, name: "Grace", role: "agent" },
      });
      const { page } = await visit(browser);
      await signIn(page, url, "/websocket-test", person);
      const customer = sideOf(page, "Customer"), agent = sideOf(page, "Agent");
      await customer.root.getByLabel("Protocol").selectOption("scoped");
      await customer.press("Connect");
      await customer.is("Refused");
      await customer.root.getByText("Only an admin can make the token").waitFor();
      await customer.connect("native");
      await agent.connect("scoped");
      await customer.write("Hello");
      await agent.sees("Hello");
    }),
);

testWith(
  ["chromium"],
  "in development the page is open, and the agent's side waits for a sign-in",
  () =>
    withPages(async (url, _server, browser) => {
      const { page } = await visit(browser);
      await page.goto(`${url}/websocket-test`);
      assert.equal(new URL(page.url()).pathname, "/websocket-test");
      const customer = sideOf(page, "Customer");
      await customer.connect("native");
      await customer.write("Anybody there?");
      await customer.log.getByText("Stored").waitFor();
      await customer.root.getByLabel("Protocol").selectOption("scoped");
      await customer.is("Refused");
      await customer.root.getByText("This needs an agent: sign in first.").waitFor();
      const agent = page.getByRole("region", { name: "Agent", exact: true });
      await agent.getByText("Nobody is signed in").waitFor();
      await agent.getByRole("link", { name: "Sign in" }).click();
      await page.waitForURL("**/login?next=%2Fwebsocket-test");
    }, { DEV_RELOAD: "true" }),
);

testWith(
  ["chromium"],
  "without a widget the page says what to do",
  () =>
    withPages(async (url, server, browser) => {
      const { token } = await login(server);
      const { items } = (await call<{ items: { id: string; widgetKey: string }[] }>(
        server,
        "GET",
        "/api/widget-configs",
        {
          token,
        },
      )).body;
      for (const { id } of items) {
        await call(server, "PATCH", `/api/widget-configs/${id}`, {
          token,
          body: { enabled: false },
        });
      }
      const { page } = await visit(browser);
      await signIn(page, url, "/websocket-test");
      await page.getByText("No widget is switched on").waitFor();
      await page.getByRole("link", { name: "Show all widgets" }).click();
      await page.waitForURL("**/widgets");
    }),
);

testWith(
  ["chromium"],
  "the settings subscribe to conversations, measure a test message, and fall back to polling",
  () =>
    withPages(async (url, server, browser) => {
      const { page, context } = await visit(browser);
      const conversationId = await talk(server, "Do you ship to Norway?");
      const other = await talk(server, "Somebody else");
      await signIn(page, url, "/settings/websocket");
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await page.getByText("Live", { exact: true }).waitFor();

      const choice = page.getByLabel("Conversation", { exact: true });
      await choice.selectOption(conversationId);
      await page.getByRole("button", { name: "Subscribe", exact: true }).click();
      await page.getByText("0 events").waitFor();
      await choice.selectOption("Another one, by its id");
      const id = page.getByLabel("Id of the conversation");
      await id.fill("nonsense");
      await page.keyboard.press("Enter");
      await page.getByText("Enter the id of a conversation; it is a UUID.").waitFor();
      await id.fill(crypto.randomUUID());
      await page.keyboard.press("Enter");
      await page.getByText("This does not exist any more.").waitFor();
      const list = page.getByRole("list", { name: "Subscriptions" }).getByRole("listitem");
      assert.equal(await list.count(), 1);
      await id.fill(other);
      await page.keyboard.press("Enter");
      await list.nth(1).waitFor();

      const form = page.getByRole("form", { name: "Test message" });
      await form.getByLabel("Into").selectOption(conversationId);
      await form.getByRole("button", { name: "Send" }).click();
      await form.getByText(/its event arrived after .* m?s\./).waitFor();
      const log = page.getByRole("region", { name: "Last events" }).last();
      await log.getByRole("button", { name: /conversationEvent/ }).first().click();
      const event = JSON.parse(await log.locator(".frame-text").innerText());
      assert.deepEqual(
        [event.conversationID, event.isPrivate, event.message.body.text],
        [conversationId, true, "A test message"],
      );

      await list.filter({ hasText: other }).getByRole("button").click();
      assert.equal(await list.count(), 1);

      // Sockets that open no more: the events come all the same.
      await page.getByRole("button", { name: "Disconnect" }).click();
      await page.getByText("Offline", { exact: true }).waitFor();
      await context.routeWebSocket(/\/api\/v1\/ws/, (socket) => socket.close({ code: 1011 }));
      await reload(page);
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await page.getByText("Offline, polling every 3 s").waitFor();
      await choice.selectOption(conversationId);
      await page.getByRole("button", { name: "Subscribe", exact: true }).click();
      await form.getByRole("button", { name: "Send" }).click();
      await form.getByText(/its event arrived after .* m?s\./).waitFor();
      await log.getByRole("button", { name: /GET .*events/ }).first().waitFor();

      await page.getByText("MAX_MESSAGE_BYTES", { exact: true }).waitFor();
      const row = page.locator("tr").filter({
        has: page.getByText("MAX_MESSAGE_BYTES", { exact: true }),
      });
      await row.getByText("64 KB", { exact: true }).waitFor();
      await page.getByRole("link", { name: "Test page" }).click();
      await page.waitForURL("**/websocket-test");
    }),
);

/** A visitor who writes; the id of their conversation. */
async function talk(server: TestServer, content: string): Promise<string> {
  const key = await widgetKey(server, (await login(server)).token);
  const session = await call<{ sessionId: string }>(server, "POST", "/api/sessions", {
    body: { widgetKey: key },
  });
  const token = session.body.sessionId;
  const opened = await call<{ id: string }>(server, "POST", "/api/conversations", {
    token,
    body: {},
  });
  await call(server, "POST", `/api/conversations/${opened.body.id}/messages`, {
    token,
    body: { content, clientMessageId: crypto.randomUUID() },
  });
  return opened.body.id;
}
