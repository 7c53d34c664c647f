import assert from "node:assert/strict";
import { createRowFilter } from "./chat_json_filter.ts";
import { RealtimeService, type TableChange } from "./chat_json_realtime.ts";
import type { WebSocketMessage } from "./chat_json_types.ts";

const ROW = {
  id: "m1",
  seq: 10,
  status: "open",
  name: "Smith & Sons, (Ltd)",
  created_at: "2026-11-20T12:00:00.000Z",
  is_private: false,
  read_at: null,
  data: { a: 1 },
};

Deno.test("a filter matches its rows, and no others", () => {
  const table: [string, boolean][] = [
    ["status=open", true],
    ["status = open", true],
    ["status=closed", false],
    ["status!=open", false],
    ["status!=closed", true],
    ["seq=10", true],
    ["seq=10.0", true],
    ["seq!=10", false],
    ["seq>9", true],
    ["seq>10", false],
    ["seq>=10", true],
    ["seq>=11", false],
    ["seq<100", true],
    ["seq<9", false],
    ["seq<=10", true],
    ["seq<=9", false],
    ["seq>x", false],
    ["seq=x", false],
    ["seq in (9, 10)", true],
    ["seq in (9)", false],
    ["status in (open,closed)", true],
    ["status in (closed)", false],
    ["in=1", false],
    ['name="Smith & Sons, (Ltd)"', true],
    ["name in ('Other', 'Smith & Sons, (Ltd)')", true],
    ["status=open & seq>5", true],
    ["status=open&seq>50", false],
    ["created_at>2026-11-20T11:00:00Z", true],
    ["created_at=2026-11-20T13:00:00+01:00", true],
    ["created_at<2026-11-20", false],
    ["is_private=false", true],
    ["is_private!=false", false],
    ["read_at=null", true],
    ["read_at!=null", false],
    ["read_at!=x", true],
    ["read_at>0", false],
    ['data={"a":1}', true],
    ["missing=1", false],
    ["missing!=1", false],
    ["constructor!=1", false],
    ['id!="=m1"', true],
  ];
  for (const [filter, expected] of table) {
    assert.equal(createRowFilter(filter)(ROW), expected, filter);
  }
  for (
    const none of ["", "status", "=open", "status=", "seq >", "a b=c", "seq in 1", "in (1)", "&"]
  ) {
    assert.throws(() => createRowFilter(none), { code: "invalid" }, none);
  }
});

function setUp() {
  const handlers = new Set<(message: WebSocketMessage) => unknown>();
  const service = new RealtimeService({
    onMessage(handler) {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
  });
  const change = (table: string, event: string, data: object) => {
    const message = { type: "database_change", table, event, data };
    for (const handler of [...handlers]) handler(message);
  };
  return { service, change, handlers };
}

Deno.test("a subscription receives its table, events and filter, until it ends", () => {
  const { service, change, handlers } = setUp();
  const seen: unknown[] = [];
  const subscription = service.subscribeToTable(
    "conversations",
    ({ event, data }) => seen.push([event, data["id"]]),
    ["UPDATE", "DELETE"],
    "status!=resolved",
  );
  const other = service.subscribeToTable("conversations", () => {});
  change("conversations", "UPDATE", { id: 1, status: "open" });
  change("conversations", "INSERT", { id: 2, status: "open" });
  change("conversations", "UPDATE", { id: 3, status: "resolved" });
  change("context_rules", "UPDATE", { id: 4, status: "open" });
  change("conversations", "DELETE", { id: 5, status: "open" });
  subscription.unsubscribe();
  subscription.unsubscribe();
  change("conversations", "UPDATE", { id: 6, status: "open" });
  assert.deepEqual(seen, [["UPDATE", 1], ["DELETE", 5]]);
  assert.equal(handlers.size, 1, "the other one goes on");
  other.unsubscribe();
  assert.equal(handlers.size, 0);
});

Deno.test("a change has both names of each field, whichever the server sent", () => {
  const { service, handlers } = setUp();
  const seen: TableChange[] = [];
  service.subscribeToTable("context_rules", (change) => seen.push(change));
  const row = { id: "r" };
  const old = { ...row, name: "gone" };
  const base = { type: "database_change", table: "context_rules" };
  for (
    const message of [
      { ...base, event: "INSERT", data: row },
      { ...base, eventType: "UPDATE", new: row, old: { id: "before" } },
      { ...base, event: "DELETE", eventType: "DELETE", old, new: null },
      { ...base, event: "TRUNCATE", data: row },
      { ...base, event: "INSERT", data: "text" },
      { ...base, event: "INSERT" },
      { type: "database_change", event: "INSERT", data: row },
      { type: "chat", table: "context_rules", event: "INSERT", data: row },
    ]
  ) {
    for (const handler of handlers) handler(message);
  }
  assert.deepEqual(seen, [
    { ...base, event: "INSERT", eventType: "INSERT", data: row, new: row, old: null },
    { ...base, event: "UPDATE", eventType: "UPDATE", data: row, new: row, old: { id: "before" } },
    { ...base, event: "DELETE", eventType: "DELETE", data: old, new: row, old },
  ]);
});

Deno.test("the subscriptions for common cases receive what the document says", () => {
  const { service, change } = setUp();
  const seen: string[] = [];
  const log = (name: string) => ({ event, data }: TableChange) =>
    seen.push(`${name} ${event} ${data["id"]}`);
  service.subscribeToChatMessages("s 1 & more", log("message"));
  service.subscribeToChatSession("s1", log("session"));
  service.subscribeToContextRules(log("rule"));
  service.subscribeToWidgetConfigs("u1", log("widget"));
  const stop = service.subscribeToNotifications("u1", ({ id }) => seen.push(`notification ${id}`));
  service.subscribeToNotifications("", () => seen.push("nobody's"));
  for (const event of ["INSERT", "UPDATE", "DELETE"]) {
    change("chat_messages", event, { id: 1, session_id: "s 1 & more" });
    change("chat_messages", event, { id: 2, session_id: "s2" });
    change("chat_sessions", event, { id: 3, session_id: "s1" });
    change("context_rules", event, { id: 4 });
    change("widget_configs", event, { id: 5, user_id: "u1" });
    change("widget_configs", event, { id: 6, user_id: "u2" });
    change("notifications", event, { id: 7, user_id: "u1" });
    change("notifications", event, { id: 8, user_id: "" });
  }
  stop();
  change("notifications", "INSERT", { id: 9, user_id: "u1" });
  assert.deepEqual(seen, [
    "message INSERT 1",
    "rule INSERT 4",
    "widget INSERT 5",
    "notification 7",
    "session UPDATE 3",
    "rule UPDATE 4",
    "widget UPDATE 5",
    "rule DELETE 4",
    "widget DELETE 5",
  ]);
});

Deno.test("a visitor's connection only receives rows of its own session, whatever id they have", () => {
  const handlers: ((message: WebSocketMessage) => unknown)[] = [];
  const service = new RealtimeService({
    onMessage(handler) {
      handlers.push(handler);
      return () => {};
    },
    ownsSession: (sessionId) => sessionId === "secret",
  });
  const seen: string[] = [];
  service.subscribeToChatMessages("secret", ({ data }) => seen.push(`mine ${data["id"]}`));
  service.subscribeToChatSession("secret", ({ data }) => seen.push(`session ${data["id"]}`));
  service.subscribeToChatMessages("other", ({ data }) => seen.push(`other ${data["id"]}`));
  const row = { id: 1, session_id: "public id" };
  const change = { type: "database_change", data: row };
  for (const handler of handlers) {
    handler({ ...change, table: "chat_messages", event: "INSERT" });
    handler({ ...change, table: "chat_sessions", event: "UPDATE" });
  }
  assert.deepEqual(seen, ["mine 1", "session 1"]);
});

Deno.test("an invalid filter is rejected at once, and a callback that throws does not affect others", () => {
  const { service, change } = setUp();
  assert.throws(() => service.subscribeToTable("conversations", () => {}, ["INSERT"], "what"), {
    message: 'Cannot subscribe: not a filter: "what"',
  });
  const { error } = console;
  console.error = () => {};
  try {
    let heard = 0;
    service.subscribeToContextRules(() => {
      throw new Error("somebody's");
    });
    service.subscribeToContextRules(() => heard++);
    change("context_rules", "INSERT", { id: 1 });
    assert.equal(heard, 1);
  } finally {
    console.error = error;
  }
});
