import assert from "node:assert/strict";
import { type Command, fitting } from "./commands.ts";

const command = (title: string, more: Partial<Command> = {}): Command => ({
  id: title,
  group: "All",
  title,
  Icon: null as never,
  run() {},
  ...more,
});

Deno.test("commands are found by any of their words, whole ones first, groups together", () => {
  const all = [
    command("Mark as unread"),
    command("Résumé", { group: "Labels", isDeep: true }),
    command("Settings: people", { group: "Go to", words: "agents team" }),
    command("Assign to Ada"),
    command("Go to agents", { group: "Go to" }),
  ];
  const found = (text: string) => fitting(all, text).map(({ title }) => title);
  assert.ok(!found("").includes("Résumé"));
  assert.equal(found("").length, 4);
  assert.deepEqual(found("resume"), ["Résumé"]);
  assert.deepEqual(found("as"), ["Assign to Ada", "Mark as unread"]);
  assert.deepEqual(found("ada ASSIGN"), ["Assign to Ada"]);
  assert.deepEqual(found("agents"), ["Go to agents", "Settings: people"]);
  assert.deepEqual(found("assign to bob"), []);
});
