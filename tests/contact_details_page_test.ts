/** The customer beside the thread. */
import assert from "node:assert/strict";
import { violations, visit } from "./support/browser.ts";
import { call, cast, post } from "./support/http.ts";
import { alive, signIn, withPages } from "./support/pages.ts";
import { testWith } from "./support/services.ts";
import { ADMIN } from "./support/server.ts";
import { connect } from "./support/socket.ts";

testWith(
  ["chromium"],
  "the customer beside the thread: what is known, by whom, pages, and a look into the past",
  () =>
    withPages(async (url, server, browser) => {
      const { agent: { token }, key, visitor, conversation } = await cast(server);
      const path = `/conversations/${conversation.id}`;
      const write = (content: string) => post(server, visitor.sessionId, conversation.id, content);
      await call(server, "POST", "/api/sessions", {
        body: {
          widgetKey: key,
          sessionId: visitor.sessionId,
          name: "Grace",
          attributes: { plan: "free" },
          page: { url: "https://shop.example/a", referrer: "https://search.example/" },
          locale: "de-AT",
        },
      });
      await write("Where is my parcel?");
      await call(server, "PATCH", `/api${path}`, { token, body: { status: "resolved" } });
      for (let i = 0; i < 60; i++) await write(`line ${i}`);
      const socket = await connect(server, { sessionId: visitor.sessionId });

      const { page, complaints } = await visit(browser);
      await signIn(page, url, ADMIN, path);
      const details = page.getByRole("complementary", { name: "Details" });
      const attributes = details.getByRole("region", { name: "Attributes" });
      await attributes.getByText("From the visitor, not verified").waitFor();
      await details.getByRole("region", { name: "Identity" }).getByText("not verified").waitFor();
      const seen = details.getByRole("region", { name: "Pages seen" });
      await seen.getByRole("link").waitFor();
      const fact = details.getByRole("region", { name: "Browser" });
      await fact.getByText("search.example/").waitFor();

      // The page that they look at now, and the list of pages, without a reload.
      await socket.ack("page", { url: "https://shop.example/pay", title: "Payment" });
      await seen.getByText("Payment").waitFor();
      await details.getByRole("region", { name: "Visitor" }).getByText("Payment").waitFor();

      // An agent's value has a name, and stays after the visitor's page says another.
      await attributes.getByRole("button", { name: "Edit attributes" }).click();
      const dialog = page.getByRole("dialog", { name: "Attributes" });
      await dialog.getByLabel("Value of plan").fill("gold");
      await dialog.getByRole("button", { name: "Add another" }).click();
      await dialog.getByLabel("Name of attribute 2").fill("seats");
      await dialog.getByLabel("Value of seats").fill("12");
      assert.deepEqual(await violations(page), []);
      await page.keyboard.press("Enter");
      await attributes.getByText("gold").waitFor();
      assert.equal(await attributes.getByText("Set by ada").count(), 2);
      const { body } = await call<{ attributes: { value: unknown }[] }>(
        server,
        "GET",
        `/api/contacts/${visitor.contact.id}/profile`,
        { token },
      );
      assert.deepEqual(body.attributes.map(({ value }) => value), ["gold", 12]);

      // A look into the past leaves the thread and what is written in it.
      await page.getByRole("textbox", { name: "Reply" }).fill("half a reply");
      const earlier = details.getByRole("region", { name: "Earlier conversations" });
      await earlier.getByRole("button", { name: /Where is my parcel/ }).focus();
      await page.keyboard.press("Enter");
      const past = page.getByRole("dialog", { name: "Earlier conversation" });
      await past.getByText("Where is my parcel?").waitFor();
      await past.getByText("resolved the conversation").waitFor();
      assert.equal(await past.getByText("line 0").count(), 0);
      assert.deepEqual(await violations(page), []);
      assert.equal(page.url(), url + path);
      await past.getByRole("button", { name: "Show in conversation" }).click();
      await past.waitFor({ state: "hidden" });
      await page.locator(":focus[data-message]", { hasText: "Where is my parcel?" }).waitFor();
      assert.equal(
        await page.getByRole("textbox", { name: "Reply" }).inputValue(),
        "half a reply",
      );
      assert.deepEqual(complaints, []);
      await alive(page);
    }),
);
