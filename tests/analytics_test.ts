import assert from "node:assert/strict";
import { Analytics } from "../client/analytics.ts";
import { ParleyCore } from "../client/core.ts";
import type {
  AnalyticsResponse,
  Breakdown,
  DrillDown,
  HeatMapResponse,
  MetricUpdate,
  SeriesResponse,
} from "../protocol/analytics.ts";
import { FAMILIES, METRICS } from "../protocol/analytics.ts";
import { call, cast, login, openSession, post } from "./support/http.ts";
import { onBothEngines, type TestServer } from "./support/server.ts";
import { connect } from "./support/socket.ts";

const DAY = 86_400_000;
const AGENT = { email: "bob@example.com", password: "correct horse battery" };

async function makeAgent(server: TestServer, token: string): Promise<string> {
  const body = { ...AGENT, name: "=Bob", role: "agent" };
  const made = await call(server, "POST", "/api/users", { token, body });
  assert.equal(made.status, 201);
  return (await login(server, AGENT)).token;
}

const get = <T>(server: TestServer, token: string, path: string) =>
  call<T>(server, "GET", `/api/analytics${path}`, { token });

function range(metric: string, more = ""): string {
  const from = new Date(Math.floor(Date.now() / DAY) * DAY - DAY).toISOString();
  const to = new Date(Math.floor(Date.now() / DAY) * DAY + DAY).toISOString();
  return `metric=${metric}&from=${from}&to=${to}${more}`;
}

/** Reads until it fits: figures are behind by as long as folding may take. */
async function until<T>(read: () => Promise<{ body: T }>, fits: (body: T) => boolean): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const { body } = await read();
    if (fits(body)) return body;
    if (Date.now() > deadline) throw new Error(JSON.stringify(body));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

onBothEngines("analytics: from a first message to a rating, in every answer", async (server) => {
  const { agent, visitor, key, conversation } = await cast(server);
  const { token } = agent;
  const silent = await openSession(server, key);
  assert.ok(silent.sessionId);
  const path = `/api/conversations/${conversation.id}`;
  const rated = (body: unknown, by = visitor.sessionId) =>
    call(server, "POST", `${path}/rating`, { token: by, body });
  assert.equal((await rated({ rating: 5 })).status, 409, "not over yet");

  await post(server, visitor.sessionId, conversation.id, "Hello?");
  await post(server, visitor.sessionId, conversation.id, "Anybody?");
  const waiting = await until(
    () => get<AnalyticsResponse>(server, token, ""),
    ({ values }) => values["writing_share"] === 0.5,
  );
  assert.equal(waiting.values["conversations_open"], 1);
  assert.equal(waiting.values["conversations_waiting"], 1);
  assert.equal(waiting.values["messages_in"], 2);
  assert.deepEqual(waiting.byChannel["messages_in"], { web: 2 });
  assert.equal(waiting.values["messages_out"], 0);
  assert.equal(waiting.values["conversations_started"], 1);
  assert.equal(waiting.values["first_response_median"], null);
  assert.equal(waiting.values["satisfaction"], null);
  assert.deepEqual(waiting.metrics.map(({ name }) => name), [...METRICS]);

  await post(server, token, conversation.id, "Here I am");
  await call(server, "PATCH", path, { token, body: { status: "resolved" } });
  const rating = await rated({ rating: 4, comment: " Good " });
  assert.equal(rating.status, 200);
  assert.equal(rating.body["comment"], "Good");
  assert.equal((await rated({ rating: 2 })).body["comment"], "Good", "only what was given changes");
  assert.equal((await rated({ rating: 5 })).status, 200);
  for (const bad of [{ rating: 0 }, { rating: 6 }, { rating: 4.5 }, {}, { rating: 4, more: 1 }]) {
    assert.equal((await rated(bad)).status, 422, JSON.stringify(bad));
  }
  assert.equal((await rated({ rating: 5, comment: "x".repeat(2001) })).status, 422);
  assert.equal((await rated({ rating: 5 }, token)).status, 403, "agents do not rate");
  assert.equal((await rated({ rating: 5 }, silent.sessionId)).status, 404, "nor do others");

  const resolved = await until(
    () => get<AnalyticsResponse>(server, token, "?metrics=engagement,response_p90,messages_out"),
    ({ values }) => values["conversations_resolved"] === 1,
  );
  assert.equal(resolved.values["messages_per_conversation"], 3);
  assert.equal(resolved.values["returning_share"], 0);
  assert.equal(resolved.values["satisfaction"], 5);
  assert.ok(resolved.values["response_p90"]! >= 0);
  assert.equal(resolved.values["connections"], undefined, "not asked for");

  const series = await get<SeriesResponse>(
    server,
    token,
    `/series?${range("messages_out", "&by=agent&compare=previous&timeZone=Europe/Berlin")}`,
  );
  assert.equal(series.status, 200, JSON.stringify(series.body));
  assert.equal(series.body.total, 1);
  assert.equal(series.body.previous!.total, 0);
  assert.deepEqual(series.body.parts.map(({ name, total }) => [name, total]), [["ada", 1]]);
  // What came before is shown as far as it is kept, and the range itself all the same.
  const daysAgo = (days: number) =>
    `${new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)}T00:00:00Z`;
  const since = (days: number) =>
    get<SeriesResponse & { detail: string }>(
      server,
      token,
      `/series?metric=messages_out&from=${daysAgo(days)}&to=${daysAgo(-1)}&compare=previous` +
        "&timeZone=Europe/Berlin&interval=month",
    );
  const long = await since(300);
  assert.deepEqual([long.status, long.body.total, long.body.previous], [200, 1, null]);
  const tooLong = await since(500);
  assert.equal(tooLong.status, 422);
  assert.match(tooLong.body.detail, /^Cannot read figures: what begins at any hour is kept since/);
  const heat = await get<HeatMapResponse>(server, token, `/heatmap?${range("messages_in")}`);
  assert.equal(heat.body.days.flat().reduce<number>((sum, n) => sum + n!, 0), 2);

  const behind = async (metric: string, more = "") =>
    (await get<DrillDown>(server, token, `/conversations?${range(metric, more)}`)).body.items;
  const [first] = await behind("messages_in");
  assert.equal(first!.conversationId, conversation.id);
  assert.equal(first!.value, 2);
  const [satisfied] = await behind("satisfaction");
  assert.deepEqual([satisfied!.value, satisfied!.comment], [5, "Good"]);
  assert.equal(first!.comment, null);
  assert.equal((await behind("first_response_p90")).length, 1);
  assert.equal((await behind("response_p90", `&by=agent&key=${agent.user.id}`)).length, 1);
  assert.equal((await behind("response_p90", `&by=agent&key=${visitor.contact.id}`)).length, 0);
});

onBothEngines("analytics: rights and bad questions", async (server) => {
  const { agent: admin, visitor } = await cast(server);
  const token = await makeAgent(server, admin.token);
  const status = async (who: string, path: string) => (await get(server, who, path)).status;
  for (const path of ["", `/series?${range("messages_in")}`, "/business-hours"]) {
    assert.equal(await status(visitor.sessionId, path), 403, path);
    assert.equal(await status(token, path), 200, path);
  }
  const mine = await get<AnalyticsResponse>(server, token, "");
  assert.equal(mine.body.values["connections"], undefined);
  assert.equal(await status(token, "?metrics=connections"), 403);
  assert.equal(await status(token, `/series?${range("error_rate")}`), 403);
  assert.equal(await status(token, `/series?${range("response_p90", "&by=agent")}`), 403);
  const unknown = await get<{ detail: string }>(server, token, "?metrics=nonsense");
  assert.equal(unknown.status, 404);
  assert.match(unknown.body.detail, /"nonsense".*activity.*visitors_online/);
  for (
    const bad of [
      range("messages_in", "&timeZone=Mars"),
      range("messages_in", "&interval=second"),
      range("visitors_online"),
      range("messages_in", "&by=agent"),
      "metric=messages_in&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
      "metric=messages_in&from=1926-01-02T00:00:00Z&to=2026-01-01T00:00:00Z&interval=hour",
      "metric=messages_in&from=1999-01-02T05:00:00Z&to=1999-01-03T05:00:00Z",
      "metric=messages_in&from=yesterday&to=2026-01-01T00:00:00Z",
      "metric=messages_in&from=0001-01-01T00:00:00Z&to=9999-01-01T00:00:00Z&interval=hour",
      "metric=messages_in&from=2026-01-01T00:00:00Z&to=9999-12-31T23:59:00-14:00",
      range("messages_out", "&by=label"),
      range("messages_in", "&interval=minute"),
    ]
  ) {
    assert.equal(await status(admin.token, `/series?${bad}`), 422, bad);
  }
  assert.equal(await status(admin.token, `/conversations?${range("writing_share")}`), 422);
  assert.equal(await status(admin.token, `/conversations?${range("response_p90", "&key=x")}`), 422);
  const behind = (more: string) =>
    status(admin.token, `/conversations?${range("satisfaction", more)}`);
  assert.equal(await behind("&by=label&key=%00"), 422);
  assert.equal(await behind("&by=label&key=nonsense"), 200, "a label that there is not");
  assert.equal(await behind("&by=label&key="), 200);
  assert.equal(await behind("&limit=1000"), 422);
  const year = "metric=messages_in&from=2025-12-01T00:00:00Z&to=2026-11-01T00:00:00Z&interval=hour";
  const { body: tooMany } = await get<{ detail: string; fields: unknown }>(
    server,
    admin.token,
    `/series?${year}`,
  );
  assert.match(tooMany.detail, /more than 1000 of interval "hour"/);
  assert.match(JSON.stringify(tooMany.fields), /"path":"interval"/);

  const setHours = (who: string, businessHours: unknown) =>
    call(server, "PATCH", "/api/analytics/business-hours", { token: who, body: { businessHours } });
  const morning = { from: "09:00", to: "12:00" };
  const open = { from: "13:00", to: "17:00" };
  const hours = {
    timeZone: "Asia/Kathmandu",
    days: [[open, morning], [open], [open], [open], [open], [], []],
  };
  assert.equal((await setHours(token, hours)).status, 403);
  assert.equal((await setHours(admin.token, { ...hours, timeZone: "Mars" })).status, 422);
  assert.equal((await setHours(admin.token, { ...hours, days: [[open]] })).status, 422);
  const within = { ...hours, days: hours.days.with(6, [open, { from: "16:59", to: "18:00" }]) };
  const overlapping = await setHours(admin.token, within);
  assert.equal(overlapping.status, 422);
  assert.deepEqual(overlapping.body["fields"], [{
    path: "businessHours.days.6.1.from",
    message: "must not begin before 17:00, when another interval ends",
  }]);
  assert.equal(
    (await setHours(admin.token, { ...hours, days: Array(7).fill(null) })).status,
    422,
  );
  assert.equal((await setHours(admin.token, hours)).status, 200);
  const kept = await get<{ businessHours: unknown }>(server, token, "/business-hours");
  const inOrder = { ...hours, days: hours.days.with(0, [morning, open]) };
  assert.deepEqual(kept.body.businessHours, inOrder);
  const short = { ...hours, days: [open, ...Array(6).fill(null)] };
  const made = await setHours(admin.token, short);
  const { days } = made.body["businessHours"] as typeof hours;
  assert.deepEqual(days, [[open], [], [], [], [], [], []], "one interval and null are taken, too");
});

onBothEngines(
  "analytics: a table for spreadsheets, in which a name is no formula",
  async (server) => {
    const { agent, conversation, visitor } = await cast(server);
    const token = await makeAgent(server, agent.token);
    await post(server, visitor.sessionId, conversation.id, "Hello?");
    await post(server, token, conversation.id, "Hello!");
    const query = range("messages_out", "&by=agent&format=csv");
    const read = () => get<string>(server, agent.token, `/series?${query}`);
    const text = await until(read, (body) => /,1,1\r\n/.test(body));
    const lines = text.split("\r\n");
    assert.equal(lines[0], `start (UTC),"end (exclusive, UTC)",messages_out,'=Bob`);
    assert.equal(lines.length, 4, "two days and the last line's end");
    const { headers } = await read();
    assert.match(headers.get("content-type")!, /^text\/csv/);
    assert.match(headers.get("content-disposition")!, /messages_out\.csv/);
  },
);

onBothEngines(
  "analytics: values at once, then each change, to whom may see them",
  async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    const socket = await connect(server, { token: agent.token });
    const names = ["messages_in", "agents_online", "typing_now", "conversations_waiting"];
    const { metrics } = await socket.ack("subscribe", { metrics: [...names, "messages_in"] });
    assert.deepEqual(metrics, names);
    const value = (metric: string, wanted: number) =>
      socket.event("metric_update", (data) => data.metric === metric && data.value === wanted);
    await value("agents_online", 1);
    await value("messages_in", 0);
    await value("typing_now", 0);
    await value("conversations_waiting", 0);

    const guest = await connect(server, { sessionId: visitor.sessionId });
    await guest.ack("join", { conversationId: conversation.id });
    await guest.ack("typing", { conversationId: conversation.id, isTyping: true });
    await value("typing_now", 1);
    await guest.ack("message", { content: "Hello", clientMessageId: "m1" });
    const update = await value("messages_in", 1);
    assert.deepEqual(update.byChannel, { web: 1 });
    await value("conversations_waiting", 1);
    const times = socket.received.filter(({ type, data }) =>
      type === "metric_update" && (data as MetricUpdate).metric === "messages_in"
    );
    assert.equal(times.length, 2, "nothing is told that has not changed");

    const known = [...FAMILIES, ...METRICS].join(", ");
    const unknown = await socket.ask("subscribe", { metrics: ["messages_in", "nonsense"] });
    assert.equal((unknown.data as { code: string }).code, "not_found");
    assert.ok((unknown as { error: string }).error.includes(known));
    for (
      const bad of [{ metrics: [] }, { metrics: "activity" }, { metrics: [1] }, {
        metrics: ["activity"],
        more: 1,
      }, { metrics: Array(51).fill("activity") }]
    ) {
      const answer = await socket.ask("subscribe", bad);
      assert.equal((answer.data as { code: string }).code, "invalid", JSON.stringify(bad));
    }
    const stranger = await guest.ask("subscribe", { metrics: ["activity"] });
    assert.equal((stranger.data as { code: string }).code, "forbidden");

    await socket.ack("unsubscribe", { metrics: ["messages_in", "typing_now"] });
    const before = socket.received.length;
    await guest.ack("message", { content: "Still there?", clientMessageId: "m2" });
    await guest.ack("page", { url: "https://example.com/", title: "Home" });
    await socket.ack("subscribe", { metrics: ["visitors_online"] });
    await value("visitors_online", 1);
    const after = socket.received.slice(before).filter(({ type }) => type === "metric_update");
    assert.ok(after.every(({ data }) => (data as MetricUpdate).metric !== "messages_in"));

    // An agent who is no admin sees a family without what is for admins.
    const bob = await connect(server, { token: await makeAgent(server, agent.token) });
    await bob.ack("subscribe", { metrics: ["activity"] });
    const { value: family } = await bob.event(
      "metric_update",
      ({ metric }) => metric === "activity",
    );
    const { agents_online, connections } = family as Record<string, number>;
    assert.equal(agents_online, 2);
    assert.equal(connections, undefined);
    await socket.ack("subscribe", { metrics: ["activity"] });
    const whole = await socket.event("metric_update", ({ metric }) => metric === "activity");
    assert.equal((whole.value as Record<string, number>)["connections"], 3);
    const refused = await bob.ask("subscribe", { metrics: ["connections"] });
    assert.equal((refused.data as { code: string }).code, "forbidden");
    await Promise.all([socket, guest, bob].map((one) => one.close()));
  },
  { PRESENCE_GRACE_MS: "0" },
);

onBothEngines("analytics: a label that is set later counts for what was before", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const { token } = agent;
  await post(server, visitor.sessionId, conversation.id, "Hello?");
  await post(server, token, conversation.id, "Hello!");
  const parts = async (metric: string) =>
    (await get<SeriesResponse>(server, token, `/series?${range(metric, "&by=label")}`)).body.parts
      .map(({ key, name, total }) => ({ key, name, total }));
  await until(
    async () => ({ body: await parts("conversations_started") }),
    ([first]) => first?.total === 1,
  );
  assert.deepEqual(await parts("conversations_started"), [{ key: "", name: "No label", total: 1 }]);
  const labels = [];
  for (const name of ["Refund", "Order"]) {
    const body = { name, color: "blue" };
    const made = await call<{ id: string }>(server, "POST", "/api/labels", { token, body });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    labels.push(made.body.id);
  }
  const path = `/api/conversations/${conversation.id}`;
  assert.equal((await call(server, "PATCH", path, { token, body: { labels } })).status, 200);
  const both = (await parts("conversations_started")).toSorted((a, b) => a.name < b.name ? -1 : 1);
  assert.deepEqual(both.map(({ name, total }) => [name, total]), [["Order", 1], ["Refund", 1]]);
  const answered = async () => ({ body: await parts("first_response_median") });
  assert.equal((await until(answered, ({ length }) => length > 0)).length, 2);
  const behind = async (key: string) =>
    (await get<DrillDown>(
      server,
      token,
      `/conversations?${range("response_p90", `&by=label&key=${key}`)}`,
    )).body.items.map(({ conversationId }) => conversationId);
  assert.deepEqual(await behind(labels[0]!), [conversation.id]);
  assert.deepEqual(await behind(""), []);
  const csv = await get<string>(
    server,
    token,
    `/series?${range("conversations_started", "&by=label&format=csv")}`,
  );
  assert.match(
    csv.body,
    /^start \(.+\),"end \(.+\)",conversations_started,(Order,Refund|Refund,Order)\r\n/,
  );
});

onBothEngines(
  "analytics: tables by team, label, channel and, for admins, agent",
  async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    const { token } = agent;
    await post(server, visitor.sessionId, conversation.id, "Hello?");
    await post(server, token, conversation.id, "Hello!");
    const path = `/api/conversations/${conversation.id}`;
    const team = await call<{ id: string }>(server, "POST", "/api/teams", {
      token,
      body: { name: "=Sales" },
    });
    const body = { teamId: team.body.id, status: "resolved" };
    assert.equal((await call(server, "PATCH", path, { token, body })).status, 200);
    await call(server, "POST", `${path}/rating`, { token: visitor.sessionId, body: { rating: 4 } });
    const period = range("x").replace("metric=x&", "");
    const table = (by: string, who = token) =>
      get<Breakdown>(server, who, `/breakdown?by=${by}&${period}`);
    const resolved = (body: Breakdown) =>
      body.columns.findIndex(({ metric }) => metric === "conversations_resolved");
    const { columns, rows } = await until(
      () => table("team"),
      (body) => body.rows[0]?.values[resolved(body)] === 1,
    );
    assert.deepEqual(rows.map(({ key, name }) => [key, name]), [[team.body.id, "=Sales"]]);
    const values = Object.fromEntries(columns.map(({ metric }, i) => [metric, rows[0]!.values[i]]));
    assert.deepEqual([values["conversations_started"], values["satisfaction"]], [1, 4]);
    assert.ok(values["first_response_median"]! >= 0);
    const names = async (by: string) => (await table(by)).body.rows.map(({ name }) => name);
    assert.deepEqual(await names("agent"), ["ada"]);
    // Nobody starts conversations but visitors: agents have no such column.
    const { body: byAgent } = await table("agent");
    assert.ok(!byAgent.columns.some(({ metric }) => metric === "conversations_started"));
    assert.deepEqual(await names("label"), ["No label"]);
    assert.deepEqual(await names("channel"), ["web"]);
    const behind = await get<DrillDown>(
      server,
      token,
      `/conversations?${range("conversations_resolved", `&by=team&key=${team.body.id}`)}`,
    );
    assert.deepEqual(behind.body.items.map((one) => one.conversationId), [conversation.id]);
    // Figures of single agents are for admins; a name is no formula of a spreadsheet.
    const plain = await makeAgent(server, token);
    assert.equal((await table("agent", plain)).status, 403);
    const csv = await get<string>(server, plain, `/breakdown?by=team&${period}&format=csv`);
    assert.match(csv.body, /^team,conversations_started,.*\r\n'=Sales,1,1,/);
  },
);

onBothEngines("analytics: what a client answers says how long messages take", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const { token } = agent;
  const socket = await connect(server, { token });
  await socket.ack("join", { conversationId: conversation.id });
  await post(server, visitor.sessionId, conversation.id, "Hello?");
  const message = await socket.event("message");
  assert.ok(message);
  const { echo } = await socket.event("heartbeat", (data) => data.echo !== undefined);
  const types = socket.received.map(({ type, data }) =>
    (data as { echo?: string }).echo === undefined ? type : "question"
  );
  assert.ok(types.indexOf("question") > types.indexOf("message"), "asked after the message");
  // What nobody asked is no answer, and one counts once.
  for (const data of [{ echo: "0" }, { echo: 1 }, "echo", null, { echo }, { echo }]) {
    await socket.ack("ping", data);
  }
  await socket.close();
  await server.stop();
  await server.restart();
  const again = (await login(server)).token;
  const { body } = await get<SeriesResponse>(server, again, `/series?${range("receipt_p50")}`);
  const delivery = await get<SeriesResponse>(server, again, `/series?${range("delivery_p50")}`);
  assert.ok(body.total! > 0 && body.total! < 60_000);
  assert.ok(delivery.body.total! <= body.total!, "the way back is in it");
});

onBothEngines("analytics client: answers what the server asks, unasked", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const client = new ParleyCore({
    url: server.url,
    credentials: () => ({ token: agent.token }),
  });
  const asked = Promise.withResolvers<void>();
  client.on("heartbeat", ({ echo }) => {
    if (echo !== undefined) asked.resolve();
  });
  await client.connect();
  await client.request("join", { conversationId: conversation.id });
  await post(server, visitor.sessionId, conversation.id, "Hello?");
  await asked.promise;
  // Commands are handled in order: the answer, which went before, has arrived.
  await client.request("ping", {});
  client.close();
  await server.stop();
  await server.restart();
  const { token } = await login(server);
  const { body } = await get<SeriesResponse>(server, token, `/series?${range("receipt_p99")}`);
  assert.ok(body.total! > 0);
});

onBothEngines("analytics: a restart loses nothing that the database knows", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const { token } = agent;
  const guest = await connect(server, { sessionId: visitor.sessionId });
  await guest.ack("join", { conversationId: conversation.id });
  await guest.ack("message", { content: "One", clientMessageId: "m1" });
  await guest.event("message");
  await post(server, token, conversation.id, "Two");
  await guest.close();
  await server.stop();
  await server.restart();
  const again = (await login(server)).token;
  const total = async (metric: string) =>
    (await get<SeriesResponse>(server, again, `/series?${range(metric)}`)).body.total;
  await until(async () => ({ body: await total("messages_in") }), (body) => body === 1);
  assert.equal(await total("messages_out"), 1);
  assert.equal(await total("writing_share"), 1);
  assert.ok((await total("response_median"))! >= 0);
  // What only the process knew was written when it ended.
  assert.ok((await total("delivery_p50"))! >= 0);
  assert.equal(await total("error_rate"), 0);
  assert.equal(await total("reconnect_rate"), 0);
});

onBothEngines("analytics client: outlives connections, and says who refused", async (server) => {
  const { agent } = await cast(server);
  const client = new ParleyCore({
    url: server.url,
    credentials: () => ({ token: agent.token }),
    minDelayMs: 10,
    maxDelayMs: 50,
  });
  const analytics = new Analytics(client);
  const heard: MetricUpdate[] = [];
  let waiter = Promise.withResolvers<void>();
  const subscription = analytics.subscribe(["agents_online"], (update) => {
    heard.push(update);
    waiter.resolve();
  });
  await client.connect();
  await subscription.ready;
  await waiter.promise;
  assert.equal(heard[0]!.value, 1);
  // Who asks for what is followed already hears at once what it is.
  const second = Promise.withResolvers<MetricUpdate>();
  const other = analytics.subscribe(["agents_online"], second.resolve);
  assert.equal((await second.promise).value, 1);
  other.unsubscribe();

  waiter = Promise.withResolvers();
  const before = heard.length;
  await server.stop();
  await server.restart();
  await waiter.promise;
  assert.ok(heard.length > before, "the value comes again with a new connection");

  let ended = "";
  const refused = analytics.subscribe(["nonsense" as "activity"], () => {}, {
    onEnd: ({ code }) => ended = code,
  });
  await assert.rejects(refused.ready, { code: "not_found" });
  assert.equal(ended, "not_found");
  subscription.unsubscribe();
  client.close();
}, { PRESENCE_GRACE_MS: "0" });
