import assert from "node:assert/strict";
import { createEventBus } from "../domain/events.ts";
import type { AgentPrincipal } from "../domain/principal.ts";
import { CATALOGUE } from "../domain/tables/catalogue.ts";
import type { Change, TableQuery, Tables } from "../domain/tables/service.ts";
import type { Connection } from "./connection.ts";
import type { Protocol } from "./protocol.ts";
import { createTableSubscriptions } from "./tables.ts";

function agent(userId: string): AgentPrincipal {
  return {
    kind: "agent",
    userId,
    userName: userId,
    role: "agent",
    tokenId: null,
    signInId: null,
    expiresAt: null,
  };
}

/** What the subscriptions need of the domain, with a count of the calls. */
function setUp() {
  const counts = { matched: 0, encoded: 0, holds: 0 };
  let position = 0;
  let gate = Promise.resolve();
  const tables: Tables = {
    query: (_principal, { table, events = ["INSERT"], filter = "" }) => {
      const policy = CATALOGUE[table].agents!;
      const readers = { key: "agent", policy, owners: null };
      const query: TableQuery = {
        key: `${table} ${events} ${filter}`,
        table,
        readers,
        events,
        conditions: [],
      };
      return Promise.resolve(query);
    },
    match: ({ table }, change) => {
      counts.matched++;
      const data = { id: change.id };
      const rows = { data, new: data, old: null };
      const event = "INSERT";
      return { id: `e-${change.id}`, table, event, eventType: event, ...rows, timestamp: "" };
    },
    position: async () => {
      const now = position;
      await gate;
      return now;
    },
    nameOf: (n) => `e-${n}`,
    missed: () => Promise.resolve(null),
    hold: () => {
      counts.holds++;
      return Promise.resolve(() => void counts.holds--);
    },
  };
  const protocol = {
    batching: true,
    encode: (event: { data: { id?: string } }) => {
      counts.encoded++;
      return String(event.data.id ?? "ended");
    },
  } as unknown as Protocol;
  function connection(userId: string, sent: string[]): Connection {
    const send = (text: string) => void sent.push(text);
    return {
      protocol,
      principal: agent(userId),
      isOver: false,
      limits: { subscriptions: 3 },
      cleanups: [],
      send,
      sendEvent: (event: { data: { id?: string } }) => send(String(event.data.id ?? "ended")),
    } as unknown as Connection;
  }
  const bus = createEventBus((error) => assert.fail(String(error)));
  const subscriptions = createTableSubscriptions({ bus, tables, node: "n" });
  const change = (id: number): Change => ({
    id,
    table: "conversations",
    event: "INSERT",
    old: null,
    new: { id: String(id) },
    at: new Date(0),
  });
  return {
    counts,
    subscriptions,
    connection,
    commit(...ids: number[]) {
      position = ids.at(-1)!;
      bus.emit("table.changed", { changes: ids.map(change) });
    },
    lose: () => bus.emit("table.lost", {}),
    at(now: number) {
      position = now;
    },
    wait(promise: Promise<void>) {
      gate = promise;
    },
  };
}

Deno.test("a change is matched and encoded once for all members of a group", async () => {
  const { counts, subscriptions, connection, commit } = setUp();
  const sent: string[][] = [];
  for (let i = 0; i < 50; i++) {
    const own: string[] = [];
    sent.push(own);
    const socket = connection(`u${i}`, own);
    await subscriptions.subscribe(socket, { table: "conversations", filter: "a" }, () => {});
    if (i === 0) {
      await subscriptions.subscribe(socket, { table: "conversations", filter: "b" }, () => {});
    }
  }
  assert.equal(counts.holds, 2);
  commit(1, 2, 3);
  assert.equal(counts.matched, 2 * 3);
  assert.equal(counts.encoded, 2 * 3);
  // Several in one frame, in commit order.
  assert.deepEqual(sent[1], ["e-1\ne-2\ne-3"]);
  assert.deepEqual(sent[0], ["e-1\ne-1\ne-2\ne-2\ne-3\ne-3"]);
});

Deno.test("the answer is sent first, then the changes that are not in it, each once", async () => {
  const { subscriptions, connection, commit, at, wait } = setUp();
  const sent: string[] = [];
  const socket = connection("u", sent);
  at(5);
  const gate = Promise.withResolvers<void>();
  wait(gate.promise);
  const answer = subscriptions.subscribe(
    socket,
    { table: "conversations" },
    ({ position }) => void sent.push(`from ${position}`),
  );
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  // The feed is behind the position that was read, and then passes it.
  commit(4, 5, 6);
  assert.deepEqual(sent, []);
  gate.resolve();
  const { position } = await answer;
  assert.equal(position, "e-5");
  commit(7);
  assert.deepEqual(sent, ["from e-5", "e-6", "e-7"]);
});

Deno.test("the same request again is the same subscription, and bounds apply", async () => {
  const { subscriptions, connection, counts, commit } = setUp();
  const sent: string[] = [];
  const socket = connection("u", sent);
  const ask = (filter: string) =>
    subscriptions.subscribe(socket, { table: "conversations", filter }, () => {});
  const first = await ask("a");
  assert.equal((await ask("a")).subscription, first.subscription);
  await ask("b");
  await ask("c");
  await assert.rejects(ask("d"), { code: "too_many_subscriptions", limit: "MAX_SUBSCRIPTIONS" });
  commit(1);
  assert.deepEqual(sent, ["e-1\ne-1\ne-1"]);
  subscriptions.unsubscribe(socket, first.subscription);
  assert.throws(() => subscriptions.unsubscribe(socket, first.subscription), { code: "not_found" });
  commit(2);
  assert.equal(sent[1], "e-2\ne-2");
  for (const cleanup of socket.cleanups) cleanup(socket);
  await Promise.resolve();
  assert.equal(counts.holds, 0);
  commit(3);
  assert.equal(sent.length, 2);
});

Deno.test("a subscription ends with a changed right or lost changes, and not otherwise", async () => {
  const { subscriptions, connection, commit, lose } = setUp();
  const sent: string[] = [];
  const socket = connection("u", sent);
  await subscriptions.subscribe(socket, { table: "conversations" }, () => {});
  socket.principal = { ...socket.principal as AgentPrincipal, userName: "renamed" };
  commit(1);
  assert.deepEqual(sent, ["e-1"]);
  socket.principal = {
    kind: "visitor",
    userId: "u",
    userName: "u",
    sessionHash: "h",
    widgetId: "w",
    allowedOrigins: [],
    expiresAt: null,
  };
  commit(2, 3);
  assert.deepEqual(sent, ["e-1", "ended"]);

  const other = connection("o", sent);
  await subscriptions.subscribe(other, { table: "conversations" }, () => {});
  lose();
  commit(4);
  assert.deepEqual(sent, ["e-1", "ended", "ended"]);
});
