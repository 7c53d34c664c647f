import assert from "node:assert/strict";
import type { Browser, Locator } from "playwright-core";
import type { ConversationList } from "../protocol/rest.ts";
import { violations, visit } from "./support/browser.ts";
import { poll } from "./support/deadline.ts";
import { call, login } from "./support/http.ts";
import { signIn, withPages } from "./support/pages.ts";
import { ADMIN, type TestServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";

interface Identified {
  name?: unknown;
  email?: unknown;
}
type Parley = (command: "identify", visitor: Identified) => void;

/** A website gives names and addresses of all kinds, of which the good ones arrive. */
async function showsNames(url: string, server: TestServer, browser: Browser): Promise<void> {
  const warnings: string[] = [];
  const { page } = await visit(browser);
  page.on("console", (message) => {
    if (message.type() === "warning") warnings.push(message.text());
  });
  await page.goto(`${url}/demo`);
  await page.getByRole("button", { name: "Chat" }).click();
  const box = page.getByRole("textbox", { name: "Message" });
  const identify = (visitor: Identified) =>
    page.evaluate(
      (given) => (globalThis as unknown as { Parley: Parley }).Parley("identify", given),
      visitor,
    );
  const name = "דנה (רכש)!";
  await identify({ name: 4711 });
  await identify({ name: `\u202e ${name}\u0000`, email: "not an address" });
  await box.fill("\u200b");
  await box.press("Enter");
  assert.equal(await box.inputValue(), "\u200b", "what nobody can see is not sent");
  const text = "האם אתם פתוחים?\nWe are, until 8!";
  await box.fill(text);
  await box.press("Enter");
  await page.getByText("Sent", { exact: true }).first().waitFor({ state: "attached" });
  await poll(
    () => warnings,
    (all) => all.some((one) => /"name" must be text|"email": must be/.test(one)),
    "a warning of what is left out",
  );
  await identify({ email: "jos\u00e9@b\u00fcrger.example" });

  const { token } = await login(server);
  const contact = await poll(
    async () => {
      const path = "/api/conversations?status=open";
      const { body } = await call<ConversationList>(server, "GET", path, { token });
      return body.items.find((one) => one.contact.name === name)?.contact;
    },
    (one) => one?.email === "jos\u00e9@b\u00fcrger.example",
    "the contact has name and address",
  );

  // Each text has its own direction, and that of what is around it stays.
  const agent = await visit(browser);
  await signIn(agent.page, url, ADMIN);
  const row = agent.page.locator(".row", { hasText: name });
  await row.click();
  const said = agent.page.locator(".bubble > [dir=auto]", { hasText: "until 8!" });
  await said.waitFor();
  const directionOf = (part: Locator) =>
    part.evaluate((element) => getComputedStyle(element).direction);
  assert.equal(await directionOf(row.locator(".row-name")), "rtl");
  assert.equal(await directionOf(row), "ltr");
  assert.equal(await directionOf(agent.page.getByRole("heading", { level: 2, name })), "rtl");
  assert.equal(await directionOf(said), "rtl");
  assert.equal(await said.evaluate((one) => getComputedStyle(one).unicodeBidi), "plaintext");
  assert.match(await agent.page.title(), /\u2068דנה \(רכש\)!\u2069 · Parley$/);
  const inPanel = page.locator(".bubble > [dir=auto]", { hasText: "until 8!" });
  assert.equal(await directionOf(inPanel), "rtl");
  assert.ok(contact);
}

testWith(
  ["chromium"],
  "a visitor rates with one press when it is over, and says why",
  () =>
    withPages(async (url, server, browser) => {
      const { token } = await login(server);
      const { page, complaints } = await visit(browser);
      await page.goto(`${url}/demo`);
      const open = () => page.getByRole("button", { name: "Chat" }).click();
      await open();
      const box = page.getByRole("textbox", { name: "Message" });
      await box.fill("Is anybody there?");
      await box.press("Enter");
      const conversations = () =>
        call<{ items: { id: string }[] }>(server, "GET", "/api/conversations", { token });
      await page.getByLabel("Messages", { exact: true }).getByText("Is anybody there?").waitFor();
      await page.getByText("Sent", { exact: true }).first().waitFor({ state: "attached" });
      const id = (await conversations()).body.items[0]!.id;
      const resolve = () =>
        call(server, "PATCH", `/api/conversations/${id}`, { token, body: { status: "resolved" } });
      const question = page.getByText("How did we do?");
      assert.equal(await question.count(), 0);
      await resolve();
      await question.waitFor();
      await page.getByRole("button", { name: "4 of 5" }).click();
      await page.getByRole("textbox", { name: "Your comment on this conversation" }).fill(
        "Friendly",
      );
      await page.getByRole("button", { name: "Send" }).first().click();
      await page.getByText("Thank you for your comment.").waitFor();

      const from = new Date(Date.now() - 86_400_000).toISOString().slice(0, 16) + "Z";
      const to = new Date(Date.now() + 86_400_000).toISOString().slice(0, 16) + "Z";
      const path = `/api/analytics/conversations?metric=satisfaction&from=${from}&to=${to}`;
      const { body } = await call<{ items: { value: number; comment: string }[] }>(
        server,
        "GET",
        path,
        { token },
      );
      assert.deepEqual([body.items[0]!.value, body.items[0]!.comment], [4, "Friendly"]);

      // Agents see it where it was given, beside the conversation, and in a list.
      const agent = await visit(browser);
      await signIn(agent.page, url, ADMIN, `/conversations/${id}`);
      const history = agent.page.locator(".thread-activity");
      await history.filter({ hasText: "rated the conversation 4 of 5" }).waitFor();
      await history.filter({ hasText: "commented on the rating: “Friendly”" }).waitFor();
      const details = agent.page.getByRole("region", { name: "Rating" });
      await details.getByText("4 of 5").waitFor({ state: "attached" });
      await details.getByText("Friendly").waitFor();
      await agent.page.goto(`${url}/analytics?metric=satisfaction`);
      const list = agent.page.getByRole("region", { name: "Ratings" });
      await list.getByText("Friendly").waitFor();
      assert.deepEqual(await violations(agent.page), []);
      const download = agent.page.waitForEvent("download");
      await list.getByRole("button", { name: "CSV" }).click();
      const csv = await Deno.readTextFile(await (await download).path());
      assert.match(csv, /^\ufefftime \(.+\),rating,comment,visitor,conversation,agent\r\n/);
      assert.match(csv, /,4,Friendly,/);
      await agent.context.close();

      // Nobody is asked twice, and once more when it was opened and resolved again.
      await page.reload();
      await open();
      await page.getByLabel("Messages", { exact: true }).getByText("Is anybody there?").waitFor();
      assert.equal(await question.count(), 0);
      await box.fill("One thing more");
      await box.press("Enter");
      await page.getByText("Sent", { exact: true }).first().waitFor({ state: "attached" });
      await resolve();
      await question.waitFor();
      assert.deepEqual(complaints, []);
      await showsNames(url, server, browser);
    }),
);
