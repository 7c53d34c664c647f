import assert from "node:assert/strict";
import type { Conversation } from "../protocol/model.ts";
import { violations, visit } from "./support/browser.ts";
import { call } from "./support/http.ts";
import { assign, colleagues, newVisitor } from "./support/notifications.ts";
import { open, signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

/** Where pictures of the dialog go, to be looked at; unset: nowhere. */
const SHOTS = Deno.env.get("PARLEY_TEST_SHOTS");

testWith(
  ["chromium"],
  "an admin disables somebody with the keyboard, and a colleague gets the conversations",
  () =>
    withPages(async (url, server, browser) => {
      const [ada, bea, cara] = await colleagues(server, "Bea Novak", "Cara Lindqvist");
      const first = await newVisitor(server, ada!);
      const second = await newVisitor(server, ada!);
      for (const { conversationId } of [first, second]) {
        await assign(server, ada!, conversationId, bea!);
      }
      await call(server, "PATCH", `/api/conversations/${second.conversationId}`, {
        token: ada!.token,
        body: { status: "pending" },
      });
      const inbox = await visit(browser);
      await signIn(inbox.page, url, ADMIN);
      await open(inbox.page, `${url}/conversations/${first.conversationId}`);
      const state = await inbox.context.storageState();

      const { page, complaints } = await visit(browser, { storageState: state });
      await open(page, `${url}/settings/people`);
      await page.getByRole("button", { name: "Change Bea Novak" }).focus();
      await page.keyboard.press("Enter");
      // The menu takes the focus when it is drawn: a key before that is none of its own.
      const focused = (start: string) =>
        page.waitForFunction(
          (text) =>
            document.activeElement?.getAttribute("role")?.startsWith("menuitem") &&
            document.activeElement.textContent?.startsWith(text),
          start,
        );
      await focused("");
      await page.keyboard.press("End");
      await focused("Disable");
      await page.keyboard.press("Enter");
      await page.getByText("Bea Novak has 2 conversations: 1 open, 1 pending.").waitFor();
      const choice = page.getByLabel("Hand over to");
      assert.deepEqual(await choice.locator("option").allInnerTexts(), [
        "Nobody (back to unassigned)",
        "ada (you)",
        "Cara Lindqvist",
      ]);
      assert.equal(await choice.inputValue(), "");
      for (const scheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme: scheme });
        for (const width of [1440, 390]) {
          await page.setViewportSize({ width, height: 844 });
          assert.deepEqual(await violations(page), [], `${scheme} ${width}`);
          if (SHOTS) await page.screenshot({ path: `${SHOTS}/leaving-${scheme}-${width}.png` });
        }
      }
      // From the dialog to the choice and the button by Tab alone.
      await choice.focus();
      await page.keyboard.type("Cara");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.getByText("Bea Novak is disabled. Cara Lindqvist got 2 conversations.").waitFor();
      const path = `/api/conversations/${second.conversationId}`;
      const { body } = await call<Conversation>(server, "GET", path, { token: ada!.token });
      assert.equal(body.assignee?.userId, cara!.id);

      // A page that was open before does not offer who is gone.
      const menu = inbox.page.getByRole("button", { name: /Assigned to Cara Lindqvist/ });
      await menu.click();
      await inbox.page.getByRole("menuitem", { name: "Unassign" }).waitFor();
      await inbox.page.getByRole("menuitemradio", { name: /Cara/ }).waitFor();
      await inbox.page.getByRole("menuitemradio", { name: /Bea/ }).waitFor({ state: "detached" });
      assert.deepEqual([...complaints, ...inbox.complaints], []);

      // To nobody, and who has nothing is not asked about.
      await page.getByRole("button", { name: "Change Cara Lindqvist" }).click();
      await page.getByRole("menuitem", { name: "Disable…" }).click();
      await page.getByText("Cara Lindqvist has 2 conversations:").waitFor();
      await page.getByRole("button", { name: "Disable", exact: true }).click();
      await page.getByText("2 conversations went back to unassigned.").waitFor();
      await page.getByRole("button", { name: "Change Bea Novak" }).click();
      await page.getByRole("menuitem", { name: "Enable" }).click();
      await page.getByRole("button", { name: "Enable" }).click();
      await page.getByText("Bea Novak can sign in again.").waitFor();
      await page.getByRole("button", { name: "Change Bea Novak" }).click();
      await page.getByRole("menuitem", { name: "Disable…" }).click();
      await page.getByText("Bea Novak has no open conversations.").waitFor();
      assert.equal(await page.getByLabel("Hand over to").count(), 0);
    }),
);
