import assert from "node:assert/strict";
import { cast, login, post } from "./support/http.ts";
import { onBothEngines, startServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { connect } from "./support/socket.ts";
import { change, changesOf, place, psql } from "./support/tables.ts";

testWith(
  ["postgres"],
  "a slow transaction hides nothing, and comes when it commits [postgres]",
  async () => {
    const server = await startServer("postgres");
    try {
      const agent = await connect(server, { token: (await login(server)).token });
      const { subscription } = await agent.ack("subscribe", { table: "context_rules" });
      const [slow, quick] = [await psql(server), await psql(server)];
      const add = (name: string) =>
        `insert into context_rules (id, name) values (gen_random_uuid(), '${name}')`;
      await slow.query("begin");
      await slow.query(add("slow, first"));
      await quick.query("begin");
      await quick.query(add("quick"));
      await slow.query(add("slow, second"));
      await quick.query("commit");
      // Although a transaction that began before is still open, with changes written before.
      const first = await change(agent, subscription, 1);
      assert.equal(first.data["name"], "quick");

      const later = await connect(server, { token: (await login(server)).token });
      const resumed = await later.ack("subscribe", { table: "context_rules", after: first.id });
      assert.deepEqual(resumed.changes, []);
      await slow.query("commit");
      await change(agent, subscription, 3);
      await change(later, subscription, 2);
      const names = (socket: typeof agent) => changesOf(socket).map(({ data }) => data["name"]);
      assert.deepEqual(names(agent), ["quick", "slow, first", "slow, second"]);
      assert.deepEqual(names(later), ["slow, first", "slow, second"]);
      const places = changesOf(agent).map(({ id }) => place(id));
      assert.deepEqual(places, places.toSorted((a, b) => a - b));

      // Whoever comes now with the quick one's id finds what was committed after it.
      const third = await connect(server, { token: (await login(server)).token });
      const found = await third.ack("subscribe", { table: "context_rules", after: first.id });
      assert.equal(found.recovered, true);
      assert.deepEqual(
        found.changes.map((one: { data: { name: string } }) => one.data.name),
        ["slow, first", "slow, second"],
      );
      for (const end of [slow, quick]) await end.end();
      for (const socket of [agent, later, third]) await socket.close();
    } finally {
      await server.close();
    }
  },
);

testWith(["postgres"], "nothing is passed over while many commit at the same time", async () => {
  const server = await startServer("postgres");
  try {
    const agent = await connect(server, { token: (await login(server)).token });
    const { subscription } = await agent.ack("subscribe", { table: "context_rules" });
    const writers = await Promise.all(Array.from({ length: 8 }, () => psql(server)));
    await Promise.all(writers.map(async (writer, w) => {
      for (let n = 0; n < 150; n++) {
        await writer.query(
          "insert into context_rules (id, name) values (gen_random_uuid(), $1)",
          [`${w}-${n}`],
        );
      }
      await writer.end();
    }));
    await change(agent, subscription, 1200);
    const names = changesOf(agent).map(({ data }) => data["name"] as string);
    assert.equal(new Set(names).size, 1200);
    const places = changesOf(agent).map(({ id }) => place(id));
    assert.deepEqual(places, places.toSorted((a, b) => a - b));
    await agent.close();
  } finally {
    await server.close();
  }
});

testWith(["postgres"], "two writers of one row are told in the order of commits", async () => {
  const server = await startServer("postgres");
  try {
    const { conversation } = await cast(server);
    const agent = await connect(server, { token: (await login(server)).token });
    const { subscription } = await agent.ack("subscribe", {
      table: "conversations",
      events: ["UPDATE"],
    });
    const [one, other] = [await psql(server), await psql(server)];
    const set = (minute: number) =>
      `update conversations set snoozed_until = '2030-01-01T00:0${minute}Z'
       where id = '${conversation.id}'`;
    // The first has the lower transaction id, and changes the row last.
    await one.query("begin isolation level repeatable read");
    await one.query("insert into context_rules (id, name) values (gen_random_uuid(), 'x')");
    await other.query(set(1));
    await one.query("commit");
    await one.query("begin");
    await one.query(set(2));
    const waits = other.query(set(3));
    await one.query("commit");
    await waits;
    await change(agent, subscription, 3);
    assert.deepEqual(
      changesOf(agent).map(({ data }) => (data["snoozed_until"] as string).slice(14, 16)),
      ["01", "02", "03"],
    );
    for (const { old, new: after } of changesOf(agent)) assert.notDeepEqual(old, after);
    await one.end();
    await other.end();
    await agent.close();
  } finally {
    await server.close();
  }
});

testWith(["postgres"], "a role that knows nothing of the feed can write", async () => {
  const server = await startServer("postgres");
  const role = `parley_test_${crypto.randomUUID().slice(0, 8)}`;
  const admin = await psql(server);
  try {
    const agent = await connect(server, { token: (await login(server)).token });
    const { subscription } = await agent.ack("subscribe", { table: "context_rules" });
    await admin.query(`create role ${role}`);
    await admin.query(`grant select, insert, update, delete on context_rules to ${role}`);
    await admin.query(`set role ${role}`);
    await admin.query("set search_path = pg_catalog");
    await admin.query("set enable_indexscan = off");
    await admin.query(
      "insert into public.context_rules (id, name) values (gen_random_uuid(), 'r')",
    );
    assert.equal((await change(agent, subscription, 1)).data["name"], "r");
    await agent.close();
  } finally {
    await admin.query("reset all; reset role");
    await admin.query(`drop owned by ${role}; drop role ${role}`);
    await admin.end();
    await server.close();
  }
});

testWith(["postgres"], "changes arrive when LISTEN's connection is cut, and after it", async () => {
  const server = await startServer("postgres");
  try {
    const agent = await connect(server, { token: (await login(server)).token });
    const { subscription } = await agent.ack("subscribe", { table: "context_rules" });
    const own = await psql(server);
    const add = (name: string) =>
      own.query(`insert into context_rules (id, name) values (gen_random_uuid(), '${name}')`);
    const listeners = `from pg_stat_activity where datname = current_database()
      and query ilike 'listen%'`;
    await add("before");
    await change(agent, subscription, 1);
    const cut = await own.query(`select pg_terminate_backend(pid) ${listeners}`);
    assert.equal(cut.rowCount, 1);
    await add("without");
    await change(agent, subscription, 2);
    for (;;) {
      const { rowCount } = await own.query(`select pid ${listeners}`);
      if (rowCount === 1) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await add("after");
    await change(agent, subscription, 3);
    assert.deepEqual(changesOf(agent).map(({ data }) => data["name"]), [
      "before",
      "without",
      "after",
    ]);
    // An outage of the database is logged where it is opened, and is nobody's error.
    assert.deepEqual(server.errors, []);
    await own.end();
    await agent.close();
  } finally {
    await server.close();
  }
});

onBothEngines("a burst is told once, whole and in order, over resumptions", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  type Told = { id: string; data: { content: string; seq: number } };
  const request = { table: "chat_messages", events: ["INSERT"] };
  const start = await connect(server, { sessionId: visitor.sessionId });
  let { position: after } = await start.ack("subscribe", request);
  await start.close();

  let posted = 0;
  let over = false;
  const writers = Array.from({ length: 4 }, async () => {
    while (!over) await post(server, agent.token, conversation.id, `m${posted++}`);
  });
  const told: Told[] = [];
  async function goOn(live: number): Promise<void> {
    const socket = await connect(server, { sessionId: visitor.sessionId });
    const answer = await socket.ack("subscribe", { ...request, after });
    assert.equal(answer.recovered, true);
    if (live > 0) await change(socket, answer.subscription, live);
    await socket.close();
    const heard = changesOf(socket, answer.subscription) as unknown as Told[];
    told.push(...answer.changes, ...heard);
    after = heard.at(-1)?.id ?? answer.position;
  }
  try {
    for (let round = 0; round < 6; round++) await goOn(10);
  } finally {
    over = true;
    await Promise.all(writers);
  }
  await goOn(0);
  assert.deepEqual(
    told.map(({ data }) => data.seq),
    Array.from({ length: posted }, (_, i) => i + 1),
  );
  const places = told.map(({ id }) => place(id));
  assert.deepEqual(places, places.toSorted((a, b) => a - b));
  assert.equal(new Set(told.map(({ data }) => data.content)).size, posted);
}, { LIMIT_ROOM_BROADCASTS_PER_MINUTE: "100000", MAX_REPLAY_EVENTS: "5000" });
