import assert from "node:assert/strict";
import type { Team } from "../../../protocol/teams.ts";
import type { CannedResponse } from "../../../protocol/canned_responses.ts";
import type { Label, User } from "../../../protocol/model.ts";
import { findCanned, macroChange, macroWords } from "./canned.ts";

const reply = (shortCode: string, content: string, more: Partial<CannedResponse> = {}) => ({
  id: shortCode,
  userId: "ada",
  shortCode,
  content,
  folder: null,
  shared: true,
  actions: null,
  createdAt: "",
  updatedAt: "",
  ...more,
});
const LABELS = [{ id: "l1", name: "Refund" }] as Label[];
const TEAMS = [{ id: "t1", name: "Billing" }] as Team[];
const USERS = [{ id: "bea", name: "Bea" }] as User[];

Deno.test("canned replies are found by short code, folder and words, with and without accents", () => {
  const all = [
    reply("grüße", "Hello!"),
    reply("refund-late", "It takes a week."),
    reply("late", "Sorry for the wait"),
    reply("late", "Mine", { shared: false }),
    reply("price", "It is 5 €", { folder: "Late orders" }),
  ];
  const found = (text: string) => findCanned(all, text, 10).map(({ content }) => content);
  assert.deepEqual(found("late"), ["Mine", "Sorry for the wait", "It takes a week.", "It is 5 €"]);
  assert.deepEqual(found("GRU"), ["Hello!"]);
  assert.deepEqual(found("week"), ["It takes a week."]);
  assert.deepEqual(found("nothing"), []);
  assert.equal(findCanned(all, "", 2).length, 2);
});

Deno.test("a macro says what it does, and leaves out labels that were deleted", () => {
  const actions = { addLabels: ["l1", "gone"], assignTo: "me", status: "resolved" } as const;
  const macro = { ...actions, addLabels: [...actions.addLabels] };
  assert.deepEqual(macroWords(macro, LABELS, USERS, "ada", TEAMS), [
    "add Refund",
    "assign to you",
    "resolve",
  ]);
  assert.deepEqual(macroWords({ assignTo: "bea" }, LABELS, USERS, "ada", TEAMS), ["assign to Bea"]);
  assert.deepEqual(macroChange(macro, LABELS, "ada", TEAMS), {
    addLabels: ["l1"],
    assigneeId: "ada",
    status: "resolved",
  });
  assert.deepEqual(macroChange({ assignTo: "nobody" }, LABELS, "ada", TEAMS), { assigneeId: null });
  assert.deepEqual(macroWords({ teamId: "t1" }, LABELS, USERS, "ada", TEAMS), ["give to Billing"]);
  assert.deepEqual(macroChange({ teamId: "t1" }, LABELS, "ada", TEAMS), { teamId: "t1" });
  assert.equal(macroChange({ teamId: "gone" }, LABELS, "ada", TEAMS), null);
  assert.equal(macroChange({ addLabels: ["gone"] }, LABELS, "ada", TEAMS), null);
});
