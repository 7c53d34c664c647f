import assert from "node:assert/strict";
import { fillIn } from "./variables.ts";

const contact = { id: "01a1f905-b485-7004-91ff-9a78c06738dd", name: "Grace Okafor", email: null };
const agent = { name: "Ada Park", email: "ada@example.com" };
const filled = (text: string, name = contact.name) =>
  fillIn(text, { contact: { ...contact, name }, agent });

Deno.test("variables get their values, or the words for those who have none", () => {
  assert.equal(
    filled("Hi {{contact.firstName|there}}, {{agent.name}} here"),
    "Hi Grace, Ada Park here",
  );
  assert.equal(filled("Hi {{ contact.firstname | there }}!", "Visitor 38dd"), "Hi there!");
  assert.equal(filled("Hi {{contact.name|}}!", "Visitor 38dd"), "Hi !");
  assert.equal(filled("{{agent.firstName}} <{{agent.email}}>"), "Ada <ada@example.com>");
});

Deno.test("a variable that has no value or is none stays to be seen", () => {
  assert.equal(filled("{{contact.email}}"), "{{contact.email}}");
  assert.equal(filled("{{order.id}} {{order.id|x}}"), "{{order.id}} x");
  assert.equal(filled("{ {contact.name} } {{}}"), "{ {contact.name} } {{}}");
});
