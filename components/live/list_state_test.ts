import assert from "node:assert/strict";
import { makeConversation } from "./test_fixtures.ts";
import {
  apiFilter,
  filterOf,
  filterQuery,
  type ListFilter,
  listFilter,
  matches,
  merge,
  mergeAll,
  patch,
  type Rows,
  setUnread,
  sumUnread,
  tailOf,
  unreadOf,
  visibleRows,
} from "./list_state.ts";

const empty: Rows = new Map();
const all: ListFilter = { view: "all", status: "all" };
const LABEL = "01990000-0000-7000-8000-0000000000a1";
const at = (minute: number) => `2026-11-20T08:${String(minute).padStart(2, "0")}:00.000Z`;

Deno.test("filters survive in the address", () => {
  assert.equal(filterQuery(filterOf(new URLSearchParams("view=x&status=y"))), "");
  const filter = filterOf(new URLSearchParams("view=mine&status=resolved"));
  assert.deepEqual(filter, { view: "mine", status: "resolved" });
  assert.deepEqual(filterOf(new URLSearchParams(filterQuery(filter))), filter);
  const labelled = { ...filter, label: LABEL };
  assert.deepEqual(filterOf(new URLSearchParams(filterQuery(labelled))), labelled);
  assert.equal(filterQuery(filterOf(new URLSearchParams("label=VIP"))), "");
  const full: ListFilter = {
    view: "mentions",
    status: "all",
    assignee: LABEL,
    team: LABEL,
    widget: LABEL,
    priority: "high",
    channel: "web",
    unread: true,
    waitingMinutes: 30,
    q: "two words",
    sort: "waiting",
  };
  assert.deepEqual(filterOf(new URLSearchParams(filterQuery(full))), full);
  assert.deepEqual(listFilter(apiFilter(full)), full);
  const bad = "team=Sales&channel=A+B&unread=1&waitingMinutes=-1&q=+&assignee=me&priority=most";
  assert.equal(filterQuery(filterOf(new URLSearchParams(bad))), "");
});

Deno.test("views depend on the assignee, statuses on the status", () => {
  const mine = makeConversation({ assignee: { userId: "me", userName: "Me" } });
  const free = makeConversation({ status: "resolved" });
  assert.equal(matches(mine, { view: "mine", status: "open" }, "me"), true);
  assert.equal(matches(mine, { view: "mine", status: "open" }, "you"), false);
  assert.equal(matches(mine, { view: "unassigned", status: "open" }, "me"), false);
  assert.equal(matches(free, { view: "unassigned", status: "open" }, "me"), false);
  assert.equal(matches(free, { view: "unassigned", status: "all" }, "me"), true);
});

Deno.test("a label reduces the list to the conversations that have it", () => {
  const labels = [{ id: LABEL, name: "VIP", color: "red" as const }];
  const filter = { ...all, label: LABEL };
  assert.equal(matches(makeConversation({ labels }), filter, "me"), true);
  assert.equal(matches(makeConversation({ labels: [] }), filter, "me"), false);
  assert.equal(matches(makeConversation({ labels }), { ...filter, view: "mine" }, "me"), false);
});

Deno.test("rows are sorted by activity and end where the loaded part ends", () => {
  const items = [3, 2, 1].map((n) => makeConversation({ id: `c${n}`, lastActivityAt: at(n) }));
  const rows = mergeAll(empty, items, "me");
  assert.deepEqual(visibleRows(rows, all, "me", null).map((r) => r.conversation.id), [
    "c3",
    "c2",
    "c1",
  ]);
  const tail = tailOf(items.slice(0, 2), "cursor");
  assert.deepEqual(visibleRows(rows, all, "me", tail).map((r) => r.conversation.id), ["c3", "c2"]);
  assert.equal(tailOf(items, null), null);
});

Deno.test("a broadcast raises the unread count, an answer sets it", () => {
  let rows = merge(empty, makeConversation({ inboundCount: 4, unread: 1, lastSeq: 4 }), "me");
  const id = [...rows.keys()][0]!;
  rows = merge(rows, makeConversation({ inboundCount: 6, lastSeq: 6 }), "me");
  assert.equal(unreadOf(rows.get(id)!), 3);
  rows = setUnread(rows, id, 0);
  assert.equal(sumUnread(rows), 0);
});

Deno.test("the first message of a new conversation is unread, history of an old one is not", () => {
  assert.equal(
    unreadOf(merge(empty, makeConversation({ inboundCount: 1 }), "me").values().next().value!),
    1,
  );
  const old = merge(empty, makeConversation({ inboundCount: 40 }), "me").values().next().value!;
  assert.equal(old.readInbound, null);
  assert.equal(unreadOf(old), 0);
});

Deno.test("older data does not replace newer", () => {
  let rows = merge(
    empty,
    makeConversation({ lastSeq: 5, status: "pending", inboundCount: 3 }),
    "me",
  );
  rows = merge(
    rows,
    makeConversation({ lastSeq: 4, status: "open", inboundCount: 3, unread: 2 }),
    "me",
  );
  const row = rows.values().next().value!;
  assert.equal(row.conversation.status, "pending");
  assert.equal(unreadOf(row), 2);
});

Deno.test("a patch of an unknown row changes nothing", () => {
  assert.equal(patch(empty, "c1", { status: "open" }, "me"), empty);
});

Deno.test("unread is what nobody has dealt with, what is mine, and what I have marked", () => {
  const me = { userId: "me", userName: "Me" };
  const bea = { userId: "bea", userName: "Bea" };
  const count = (change: Parameters<typeof makeConversation>[0], unread = 2) => {
    const rows = merge(empty, makeConversation({ inboundCount: 3, unread, ...change }), "me");
    return unreadOf(rows.values().next().value!);
  };
  assert.equal(count({}), 2);
  assert.equal(count({ assignee: me, waitingSince: null }), 2);
  assert.equal(count({ assignee: bea }, 0), 0);
  assert.equal(count({ assignee: bea }, 1), 1, "marked");
  assert.equal(count({ status: "resolved", waitingSince: null }, 0), 0);

  // A colleague takes it, and it comes back.
  let rows = merge(empty, makeConversation({ inboundCount: 3, unread: 2 }), "me");
  const id = [...rows.keys()][0]!;
  rows = patch(rows, id, { assignee: bea }, "me");
  assert.equal(sumUnread(rows), 0);
  rows = merge(rows, makeConversation({ inboundCount: 4, assignee: me }), "me");
  assert.equal(sumUnread(rows), 3);
  rows = setUnread(rows, id, 0);
  assert.equal(sumUnread(rows), 0);
});

Deno.test("the list is sorted by waiting or by priority as the server does", () => {
  const one = (id: string, minute: number, change: Parameters<typeof makeConversation>[0] = {}) =>
    makeConversation({ id, lastActivityAt: at(minute), waitingSince: null, ...change });
  const rows = mergeAll(empty, [
    one("a", 1, { waitingSince: at(3), priority: "low" }),
    one("b", 2, { waitingSince: at(1) }),
    one("c", 3, { priority: "urgent" }),
    one("d", 4),
  ], "me");
  const ids = (filter: Partial<ListFilter>) =>
    visibleRows(rows, { ...all, ...filter }, "me", null).map((row) => row.conversation.id);
  assert.deepEqual(ids({}), ["d", "c", "b", "a"]);
  assert.deepEqual(ids({ sort: "waiting" }), ["b", "a", "d", "c"]);
  assert.deepEqual(ids({ sort: "priority" }), ["c", "a", "d", "b"]);
  assert.deepEqual(ids({ priority: "none" }), ["d", "b"]);
  const tail = rows.get("d")!.conversation;
  assert.deepEqual(
    visibleRows(rows, { ...all, sort: "waiting" }, "me", tail).map((row) => row.conversation.id),
    ["b", "a", "d"],
  );
  const filter = { ...all, sort: "waiting", priority: "high" } as const;
  assert.deepEqual(filterOf(new URLSearchParams(filterQuery(filter))), filter);
});

Deno.test("what only the server knows is shown once it has found it", () => {
  const one = makeConversation({ id: "c1" });
  const filter: ListFilter = { ...all, q: "invoice" };
  assert.equal(matches(one, filter, "me"), false);
  assert.equal(matches(one, filter, "me", new Set(["c1"])), true);
  const waiting: ListFilter = { ...all, waitingMinutes: 5 };
  const answered = makeConversation({ id: "c1", waitingSince: null });
  assert.equal(matches(answered, waiting, "me", new Set(["c1"])), false);
  const team: ListFilter = { ...all, team: LABEL };
  assert.equal(matches(one, team, "me"), false);
  assert.equal(matches(makeConversation({ teamId: LABEL }), team, "me"), true);
});
