import assert from "node:assert/strict";
import { SETTINGS } from "../settings.ts";
import { settingsTable, tableIn, withTable } from "./settings_table.ts";

Deno.test("docs/settings.md has the table of settings/", async () => {
  const page = await Deno.readTextFile(new URL("../docs/settings.md", import.meta.url));
  assert.equal(
    tableIn(page),
    settingsTable(),
    'docs/settings.md differs: run "deno run -A tools/settings_table.ts --write"',
  );
});

Deno.test("the settings table names every setting once, with its default", () => {
  const rows = settingsTable().split("\n").slice(2).map((row) =>
    row.split(" | ").map((cell) => cell.replace(/^\| |\|$/g, "").trim())
  );
  assert.deepEqual(rows.map(([name]) => name), SETTINGS.map(({ name }) => `\`${name}\``));
  assert.equal(rows.find(([name]) => name === "`PORT`")?.[1], "`8000`");
  assert.equal(rows.find(([name]) => name === "`JWT_SECRET`")?.[1], "");
});

Deno.test("only the settings table between the markers is replaced", () => {
  const empty = "a\n<!-- settings: begin -->\n<!-- settings: end -->\nb\n";
  const once = withTable(empty, "| $& |");
  assert.equal(tableIn(once), "| $& |");
  assert.equal(
    withTable(once, "| x |"),
    "a\n<!-- settings: begin -->\n\n| x |\n\n<!-- settings: end -->\nb\n",
  );
  assert.throws(() => tableIn("nothing"), /marker|missing/);
});
