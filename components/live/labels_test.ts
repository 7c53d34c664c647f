import assert from "node:assert/strict";
import type { Label, LabelColor } from "../../protocol/model.ts";
import { isTaken, LABEL_COLORS, labelsFrom, matching, nextColor } from "./labels.ts";

const at = "2026-11-20T08:00:00.000Z";

function label(name: string, color: LabelColor = "gray"): Label {
  return { id: name, name, color, description: null, createdAt: at, updatedAt: at };
}

const ALL = [label("Refund"), label("bug"), label("Émile"), label("Big refund")];
const names = (labels: Label[]) => labels.map(({ name }) => name);

Deno.test("a conversation shows the labels that still exist, by name", () => {
  assert.deepEqual(names(labelsFrom(ALL, ["Refund", "gone", "bug"])), ["bug", "Refund"]);
});

Deno.test("labels are found by a part of the name, those that begin with it first", () => {
  assert.deepEqual(names(matching(ALL, "refund")), ["Refund", "Big refund"]);
  assert.deepEqual(names(matching(ALL, " EMILE ")), ["Émile"]);
  assert.deepEqual(names(matching(ALL, "")), ["Big refund", "bug", "Émile", "Refund"]);
  assert.deepEqual(matching(ALL, "zebra"), []);
});

Deno.test("a name is taken in any case, and free with other accents", () => {
  assert.equal(isTaken(ALL, " BIG  Refund"), true);
  assert.equal(isTaken(ALL, "Emile"), false);
});

Deno.test("new labels take the colours in turn", () => {
  const made: Label[] = [];
  for (let i = 0; i < 16; i++) made.push(label(`${i}`, nextColor(made)));
  const colors = LABEL_COLORS.map(({ value }) => value).slice(1);
  assert.deepEqual(made.map(({ color }) => color), [...colors, ...colors]);
});
