import assert from "node:assert/strict";
import { violations, visit } from "./support/browser.ts";
import { call, login } from "./support/http.ts";
import { open, reload, signIn, withPages } from "./support/pages.ts";
import { ADMIN } from "./support/server.ts";
import { testWith } from "./support/services.ts";

const GRACE = { email: "grace@example.com", password: "violet kettle harbour 9" };
const PHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1";

testWith(
  ["chromium"],
  "people see where they are signed in and end it, and admins see it in the audit log",
  () =>
    withPages(async (url, server, browser) => {
      const admin = await login(server);
      await call(server, "POST", "/api/users", {
        token: admin.token,
        body: { ...GRACE, name: "Grace Okafor", role: "agent" },
      });
      const phone = await call<{ token: string }>(server, "POST", "/api/auth/login", {
        body: GRACE,
        headers: { "user-agent": PHONE },
      });
      const { page, complaints } = await visit(browser);
      await signIn(page, url, GRACE);
      await open(page, `${url}/settings/profile`);
      const list = page.getByRole("list", { name: "Sign-ins" });
      await list.getByText("This one").waitFor();
      await list.getByRole("listitem").nth(1).waitFor();
      assert.equal(await list.getByRole("listitem").count(), 2);
      assert.deepEqual(await violations(page), []);
      await list.getByRole("button", { name: /^End Safari on iPhone/ }).click();
      await page.getByText("Safari on iPhone is signed out.").waitFor();
      await list.getByRole("listitem").nth(1).waitFor({ state: "detached" });
      const me = await call(server, "GET", "/api/auth/me", { token: phone.body.token });
      assert.equal(me.status, 401);
      await open(page, `${url}/settings/audit`);
      await page.getByText("Only admins can see the audit log.").waitFor();

      const two = await visit(browser, { viewport: { width: 390, height: 844 } });
      await signIn(two.page, url, ADMIN);
      await open(two.page, `${url}/settings/people`);
      await two.page.getByRole("button", { name: "Change Grace Okafor" }).click();
      await two.page.getByRole("menuitem", { name: "Sign-ins…" }).click();
      await two.page.getByRole("button", { name: /^End Chrome on Linux/ }).click();
      await two.page.getByText("Not signed in anywhere.").waitFor();
      // Her page goes to the sign-in by itself.
      await page.waitForURL("**/login**");

      await open(two.page, `${url}/settings/audit`);
      const log = two.page.getByRole("list", { name: "Audit log" });
      await log.getByText("ada ended one sign-in of Grace Okafor").waitFor();
      await log.getByText("Grace Okafor ended one sign-in of their own").waitFor();
      assert.deepEqual(await violations(two.page), []);
      await two.page.getByLabel("What").selectOption({ label: "People" });
      await log.getByText("ended one sign-in").first().waitFor({ state: "detached" });
      await log.getByText("ada added Grace Okafor as an agent").waitFor();
      await two.page.waitForURL("**/settings/audit?group=people");
      await reload(two.page);
      await log.getByText("ada added Grace Okafor as an agent").waitFor();
      assert.equal(await log.getByText("ended one sign-in").count(), 0);
      await two.page.getByLabel("From").fill("2999-01-01");
      await two.page.getByText("Nothing found").waitFor();
      await two.page.getByLabel("From").fill("");
      await log.getByText("ada added Grace Okafor as an agent").waitFor();
      const downloading = two.page.waitForEvent("download");
      await two.page.getByRole("button", { name: "CSV" }).click();
      const file = await (await downloading).path();
      const csv = await Deno.readTextFile(file);
      assert.match(csv, /^\ufefftime \(UTC\),actor kind/);
      assert.match(csv, /user\.created/);
      assert.ok(!csv.includes("sign_in."));
      for (const scheme of ["light", "dark"] as const) {
        await two.page.emulateMedia({ colorScheme: scheme });
        assert.deepEqual(await violations(two.page), []);
      }
      const remark = /status of 401/;
      for (const found of [complaints, two.complaints]) {
        assert.deepEqual(found.filter((text) => !remark.test(text)), []);
      }
    }),
);
