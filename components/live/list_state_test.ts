import assert from "node:assert/strict";
import { makeConversation } from "./test_fixtures.ts";
import {
  filterOf,
  filterQuery,
  type ListFilter,
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
  const rows = mergeAll(empty, items);
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
  let rows = merge(empty, makeConversation({ inboundCount: 4, unread: 1, lastSeq: 4 }));
  const id = [...rows.keys()][0]!;
  rows = merge(rows, makeConversation({ inboundCount: 6, lastSeq: 6 }));
  assert.equal(unreadOf(rows.get(id)!), 3);
  rows = setUnread(rows, id, 0);
  assert.equal(sumUnread(rows), 0);
});

Deno.test("the first message of a new conversation is unread, history of an old one is not", () => {
  assert.equal(
    unreadOf(merge(empty, makeConversation({ inboundCount: 1 })).values().next().value!),
    1,
  );
  const old = merge(empty, makeConversation({ inboundCount: 40 })).values().next().value!;
  assert.equal(old.readInbound, null);
  assert.equal(unreadOf(old), 0);
});

Deno.test("older data does not replace newer", () => {
  let rows = merge(empty, makeConversation({ lastSeq: 5, status: "resolved", inboundCount: 3 }));
  rows = merge(rows, makeConversation({ lastSeq: 4, status: "open", inboundCount: 3, unread: 2 }));
  const row = rows.values().next().value!;
  assert.equal(row.conversation.status, "resolved");
  assert.equal(unreadOf(row), 2);
});

Deno.test("a patch of an unknown row changes nothing", () => {
  assert.equal(patch(empty, "c1", { status: "open" }), empty);
});
