import assert from "node:assert/strict";
import type { PublicWidget } from "../protocol/rest.ts";
import { visit } from "./support/browser.ts";
import { poll } from "./support/deadline.ts";
import { call } from "./support/http.ts";
import { open, signIn, withPages } from "./support/pages.ts";
import { ADMIN, type TestServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";

const WEBSITE = "https://shop.example.com";
const GRACE = { name: "Grace Okafor", email: "grace@example.com" };
const NEXT_PASSWORD = "a better long password";

function publicWidget(server: TestServer, key: string) {
  return call<PublicWidget & { code: string }>(server, "GET", `/api/widgets/${key}`, {
    headers: { origin: WEBSITE },
  });
}

testWith(
  ["chromium"],
  "an admin lets a website show the widget, in another colour, and copies its line",
  () =>
    withPages(async (url, server, browser) => {
      const { page, context, complaints } = await visit(browser);
      await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });
      await signIn(page, url, ADMIN);
      await page.getByRole("link", { name: "Widgets" }).click();
      await page.getByRole("link", { name: /Website/ }).click();
      await page.waitForURL("**/widgets/*");
      await page.getByRole("button", { name: /, Online$/ }).waitFor();

      await page.getByRole("button", { name: "Copy", exact: true }).click();
      await page.getByRole("button", { name: "Copied" }).waitFor();
      const tag = await page.evaluate(() => navigator.clipboard.readText());
      const key = /^<script src="(.*)\/widget\.js" data-widget-key="(wk_[^"]+)" async><\/script>$/
        .exec(tag);
      assert.equal(key?.[1], url);
      assert.equal((await publicWidget(server, key![2]!)).body.code, "origin_not_allowed");

      await page.getByRole("button", { name: "Add a website" }).click();
      await page.keyboard.type("not a website");
      await page.getByLabel("Colour", { exact: true }).fill("c2410c");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Enter an address such as https://example.com.").waitFor();
      await page.getByRole("textbox", { name: "Website 1" }).fill(`${WEBSITE}/cart`);
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText(/^Saved\./).waitFor();
      assert.equal(await page.getByRole("textbox", { name: "Website 1" }).inputValue(), WEBSITE);

      // The server goes on for some seconds with the list of origins that it knows.
      const answer = await poll(
        () => publicWidget(server, key![2]!),
        ({ status }) => status === 200,
        "the website to be allowed",
      );
      assert.equal(answer.body.appearance.accent, "#c2410c");
      assert.equal(answer.headers.get("access-control-allow-origin"), WEBSITE);

      // Unsaved changes are asked for before they are lost.
      await page.getByLabel("Title").fill("Ask us anything");
      const asked: string[] = [];
      page.once("dialog", async (dialog) => {
        asked.push(dialog.type());
        await dialog.dismiss();
      });
      await page.getByRole("link", { name: "Inbox" }).click();
      assert.deepEqual(asked, ["confirm"]);
      assert.equal(await page.getByLabel("Title").inputValue(), "Ask us anything");
      assert.deepEqual(complaints, []);
    }),
);

testWith(
  ["chromium"],
  "a new widget is made and deleted again by its name",
  () =>
    withPages(async (url, _server, browser) => {
      const { page, complaints } = await visit(browser);
      await signIn(page, url, ADMIN);
      await open(page, `${url}/widgets`);
      await page.getByRole("button", { name: "New widget" }).click();
      // Characters that mean something to HTML, and to String.prototype.replace.
      const name = "Shop $' $& <b>";
      await page.getByLabel("Name").fill(name);
      await page.getByLabel("Website (optional)").fill("shop.example.com");
      await page.keyboard.press("Enter");
      await page.waitForURL("**/widgets/*");
      await page.getByRole("heading", { name, level: 1 }).waitFor();
      await page.getByRole("button", { name: /, Online$/ }).waitFor();
      assert.equal(await page.getByRole("textbox", { name: "Website 1" }).inputValue(), WEBSITE);
      await page.getByRole("button", { name: "Delete this widget…" }).click();
      await page.getByLabel(/^Type/).fill("Shop");
      await page.keyboard.press("Enter");
      await page.getByLabel(/^Type/).fill(name);
      await page.keyboard.press("Enter");
      await page.waitForURL(`${url}/widgets`);
      await page.getByRole("link", { name: /Website/ }).waitFor();
      assert.equal(await page.getByRole("link", { name: /Shop/ }).count(), 0);
      assert.deepEqual(complaints, []);
    }),
);

testWith(
  ["chromium"],
  "an agent who was added signs in, only reads widgets, and takes a password of their own",
  () =>
    withPages(async (url, server, browser) => {
      const admin = await visit(browser);
      await signIn(admin.page, url, ADMIN);
      await open(admin.page, `${url}/settings/people`);
      await admin.page.getByRole("button", { name: "Add a person" }).click();
      await admin.page.getByLabel("Name").fill(GRACE.name);
      await admin.page.getByLabel("E-mail").fill(ADMIN.email);
      await admin.page.getByRole("button", { name: "Add person", exact: true }).click();
      await admin.page.getByText("An account with this address already exists.").waitFor();
      await admin.page.getByLabel("E-mail").fill(GRACE.email);
      const password = await admin.page.getByLabel("Password", { exact: true }).inputValue();
      await admin.page.keyboard.press("Enter");
      await admin.page.getByText("The password cannot be shown again.").waitFor();
      await admin.page.getByRole("dialog").getByText(password).waitFor();
      await admin.page.getByRole("button", { name: "Done" }).click();

      // The last admin stays one, and is told why.
      await admin.page.getByRole("button", { name: "Change ada" }).click();
      await admin.page.getByRole("menuitemradio", { name: "Agent" }).click();
      await admin.page.getByRole("button", { name: "Make agent" }).click();
      await admin.page.getByText(/This is the last admin/).waitFor();

      const agent = await visit(browser);
      const { page } = agent;
      await signIn(page, url, { email: GRACE.email, password });
      await open(page, `${url}/widgets`);
      await page.getByText("Only admins can change them.").waitFor();
      assert.equal(await page.getByRole("button", { name: "New widget" }).count(), 0);
      await page.getByRole("link", { name: /Website/ }).click();
      await page.getByText("Only admins can change it.").waitFor();
      assert.equal(await page.getByLabel("Name", { exact: true }).isDisabled(), true);
      assert.equal(await page.getByRole("button", { name: /Save|Delete|Add/ }).count(), 0);
      await open(page, `${url}/settings/people`);
      assert.equal(await page.getByRole("button", { name: /^Change|^Add/ }).count(), 0);

      await open(page, `${url}/settings/profile`);
      await page.getByLabel("Current password").fill("a guess");
      await page.getByLabel("New password").fill(NEXT_PASSWORD);
      await page.getByRole("button", { name: "Change password" }).click();
      await page.getByText("This is not your current password.").waitFor();
      await page.getByLabel("Current password").fill(password);
      await page.getByRole("button", { name: "Change password" }).click();
      await page.getByText("Your password is changed.").waitFor();
      // This sign-in goes on, with a connection and over a reload.
      await page.getByRole("button", { name: /^Account of .*, Online$/ }).waitFor();
      await page.getByLabel("Name").fill("Grace O.");
      await page.getByRole("button", { name: "Save name" }).click();
      await page.getByRole("button", { name: "Account of Grace O., Online" }).waitFor();
      await open(page, `${url}/settings`);
      await page.waitForURL("**/settings/profile");
      await page.getByRole("button", { name: /^Account of/ }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).click();
      await page.waitForURL("**/login");

      const old = { email: GRACE.email, password };
      const { status } = await call(server, "POST", "/api/auth/login", { body: old });
      assert.equal(status, 401);
      await signIn(page, url, { email: GRACE.email, password: NEXT_PASSWORD });
      // What the browser itself remarks on answers that were asked for here.
      const remark = /status of (401|409)/;
      for (const { complaints } of [admin, agent]) {
        assert.deepEqual(complaints.filter((one) => !remark.test(one)), []);
      }
    }),
);
