import assert from "node:assert/strict";
import { COMMANDS } from "./native.ts";
import { CreateLabelBody } from "./labels.ts";
import { CreateUserBody, SessionBody } from "./rest.ts";
import { fieldErrors } from "./errors.ts";
import { Email, isEmail, nameOf } from "./text_fields.ts";

Deno.test("e-mail addresses may have the letters of any script", () => {
  for (
    const address of [
      "a@b.de",
      "josé@bürger.example",
      "ada.lovelace+news@mail.example.co.uk",
      "用户@例子.广告",
      "अजय@डाटा.भारत",
      "квіточка@пошта.укр",
      "o'neill@example.com",
      "a@xn--brger-kva.example",
      "a@b.xn--p1ai",
      "1@2.museum",
      `${"x".repeat(64)}@example.com`,
    ]
  ) assert.ok(isEmail(address), address);
  for (
    const address of [
      "",
      "@",
      "a",
      "a@",
      "@b.de",
      "a@b",
      "a b@c.de",
      "a@b c.de",
      ".a@b.de",
      "a.@b.de",
      "a..b@c.de",
      "a@-b.de",
      "a@b-.de",
      "a@b..de",
      "a@b.de.",
      "a@1.2.3.4",
      "a@b.c",
      "a@b@c.de",
      "a@b.de\n",
      "a\u202e@b.de",
      "a\u200b@b.de",
      "a@b.de, c@d.de",
      "<a@b.de>",
      `${"é".repeat(33)}@example.com`,
      `a@${"b".repeat(64)}.de`,
      `a@${"ü".repeat(60)}.de`,
    ]
  ) assert.ok(!isEmail(address), JSON.stringify(address));
  assert.equal(Email.parse(" Jose\u0301@B\u00dcRGER.Example "), "jos\u00e9@b\u00fcrger.example");
});

Deno.test("what shows nothing is refused by its field, and control characters are left out", () => {
  const wrong = (schema: { safeParse: (value: unknown) => unknown }, value: unknown) => {
    const { error } = schema.safeParse(value) as { error?: Parameters<typeof fieldErrors>[0] };
    return error === undefined
      ? []
      : fieldErrors(error).map(({ path, message }) => `${path} ${message}`);
  };
  const seen = "must have a character that can be seen";
  const message = { content: "\u200b\u3164", clientMessageId: "c1" };
  assert.deepEqual(wrong(COMMANDS.message, message), [`content ${seen}`]);
  assert.deepEqual(wrong(COMMANDS.message, { ...message, content: " " }), [
    "content must not be empty",
  ]);
  assert.deepEqual(wrong(CreateLabelBody, { name: "\u2800" }), [`name ${seen}`]);
  assert.deepEqual(wrong(CreateLabelBody, { name: "\u202e" }), ["name must not be empty"]);
  const user = { email: "a@b.de", password: "0123456789", role: "agent" };
  assert.deepEqual(wrong(CreateUserBody, { ...user, name: "\u200d\u200c" }), [`name ${seen}`]);
  assert.equal(CreateLabelBody.parse({ name: "Cafe\u0301  bar" }).name, "Caf\u00e9 bar");
  const session = SessionBody.parse({ widgetKey: "k", name: "\u202eAda\u0007\n Lovelace" });
  assert.equal(session.name, "Ada Lovelace");
  assert.equal(nameOf(3).safeParse("abcd").success, false);
});
