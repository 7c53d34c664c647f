/** The pages of contacts: found, merged and parted, blocked with the widget open, taken out, erased. */
import assert from "node:assert/strict";
import { violations, visit } from "./support/browser.ts";
import { call, login, openSession, post, widgetKey } from "./support/http.ts";
import { open, signIn, withPages } from "./support/pages.ts";
import { testWith } from "./support/services.ts";
import { ADMIN } from "./support/server.ts";

testWith(
  ["chromium"],
  "contacts are found, merged, blocked, taken out and erased on their pages",
  () =>
    withPages(async (url, server, browser) => {
      const { token } = await login(server);
      const key = await widgetKey(server, token);
      const person = async (name: string, email: string | null, says: string) => {
        const { sessionId, contact } = await openSession(server, key);
        const body = { name, email };
        await call(server, "PATCH", `/api/contacts/${contact.id}`, { token, body });
        const { body: own } = await call<{ id: string }>(server, "POST", "/api/conversations", {
          token: sessionId,
          body: {},
        });
        await post(server, sessionId, own.id, says);
        return contact.id;
      };
      const grace = await person("Grace", "grace@x.example", "from my desk");
      await person("G. Hopper", "grace@x.example", "from my phone");
      await person("Bob", null, "Hello");

      // The widget in another browser, whose visitor writes.
      const widget = await visit(browser);
      await widget.page.goto(`${url}/demo`);
      await widget.page.getByRole("button", { name: "Chat" }).click();
      const box = widget.page.getByRole("textbox", { name: "Message" });
      await box.fill("first");
      await box.press("Enter");
      await widget.page.getByText("first", { exact: true }).first().waitFor();

      const { page, complaints } = await visit(browser);
      await signIn(page, url, ADMIN, "/contacts");
      const rows = page.getByRole("list", { name: "Contacts" }).getByRole("listitem");
      await page.getByLabel("Sorted by").selectOption("name");
      await page.waitForURL("**/contacts?sort=name");
      await rows.first().getByText("Bob").waitFor();
      const names = await rows.locator("strong").allTextContents();
      assert.deepEqual(names.slice(0, 3), ["Bob", "G. Hopper", "Grace"]);
      await page.getByRole("searchbox", { name: "Find" }).fill("hopp");
      await page.waitForFunction(() => document.querySelectorAll(".contacts li").length === 1);
      assert.deepEqual(await violations(page), []);
      // The choice is in the address.
      await open(page, page.url());
      assert.equal(await rows.count(), 1);
      await page.getByRole("searchbox", { name: "Find" }).fill("nobody at all");
      await page.getByRole("heading", { name: "Nobody found" }).waitFor();

      // Two become one: the same address finds the other.
      await open(page, `${url}/contacts/${grace}`);
      await page.getByText("from my desk").waitFor();
      await page.getByRole("button", { name: "Merge" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText("G. Hopper").click();
      assert.deepEqual(await violations(page), []);
      await dialog.getByRole("button", { name: "Merge" }).click();
      await page.getByText("from my phone").waitFor();
      await page.getByRole("region", { name: "Notes of G. Hopper" }).waitFor();
      const merges = page.getByRole("region", { name: "Merged contacts" });
      assert.deepEqual(await violations(page), []);
      await merges.getByRole("button", { name: "Undo" }).click();
      await merges.waitFor({ state: "detached" });
      assert.equal(await page.getByText("from my phone").count(), 0);

      // Blocked with the widget open: the visitor is told why, and what they wrote stays with them.
      await open(page, `${url}/contacts?view=wrote`);
      await rows.filter({ hasText: "first" }).getByRole("link").click();
      await page.getByRole("button", { name: "Merge" }).waitFor();
      const name = (await page.getByRole("heading", { level: 1 }).textContent())!;
      const act = async (action: string) => {
        await page.getByRole("button", { name: `Actions on ${name}` }).click();
        await page.getByRole("menuitem", { name: action }).click();
      };
      await act("Block");
      await page.getByText("They can read but not write.").waitFor();
      await box.fill("second");
      await box.press("Enter");
      await widget.page.getByText(/Not sent.*no longer write to this team/).waitFor();
      await act("Unblock");
      await page.getByText("They can read but not write.").waitFor({ state: "detached" });
      await widget.page.getByRole("button", { name: /retry|again/i }).click();
      await widget.page.getByText(/Not sent/).waitFor({ state: "detached" });

      // All data as a file, and then none of it.
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        act("Download all data"),
      ]);
      assert.match(download.suggestedFilename(), /^contact-.*\.zip$/);
      const bytes = await Deno.readFile((await download.path())!);
      assert.equal(new TextDecoder().decode(bytes.slice(0, 2)), "PK");
      await act("Erase…");
      await dialog.getByRole("button", { name: "Erase for good" }).click();
      await page.waitForURL("**/contacts");
      await rows.filter({ hasText: "Bob" }).waitFor();
      assert.equal(await rows.filter({ hasText: "second" }).count(), 0);

      // On a phone nothing is wider than the screen.
      await page.setViewportSize({ width: 320, height: 640 });
      for (const path of ["/contacts", `/contacts/${grace}`]) {
        await open(page, url + path);
        assert.deepEqual(await violations(page), []);
        const width = await page.evaluate(() => document.querySelector(".page")!.scrollWidth);
        assert.equal(width, 320, path);
      }
      assert.deepEqual(complaints, []);
    }),
);
