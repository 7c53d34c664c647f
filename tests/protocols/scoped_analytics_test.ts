import assert from "node:assert/strict";
import { login } from "../support/http.ts";
import { onEitherEngine } from "../support/server.ts";
import { enter, type Line, open, SECRET, sign } from "./scoped_peer.ts";

const ENV = { JWT_SECRET: SECRET, PRESENCE_GRACE_MS: "0" };

onEitherEngine("scoped analytics: every example of its document", async (server) => {
  const { token } = await login(server);
  const own = await sign({ sub: "1", contexts: ["context_123"] });
  const dashboard = await open(server, "analytics", { token: own, contextId: "context_123" });
  dashboard.send({
    type: "subscribe",
    data: { metrics: ["engagement", "performance", "activity"] },
  });
  const subscribed = await dashboard.until(({ type }) => type === "subscribed");
  assert.deepEqual(subscribed.data, {
    metrics: ["engagement", "performance", "activity"],
    unavailable: [],
  });
  const update = (activity: Line) => ({ type, data }: Line) =>
    type === "metric_update" && data.metric === "activity" &&
    JSON.stringify(data.value) === JSON.stringify(activity);
  const first = await dashboard.until(update({ agents_online: 0, visitors_online: 0 }));
  assert.ok(!Number.isNaN(Date.parse(first.data.timestamp)));

  // The value follows who comes to the context and goes, and is of that context alone.
  const ann = await enter(server, own, "context_123");
  await dashboard.until(update({ agents_online: 0, visitors_online: 1 }));
  const stranger = await enter(server, await sign({ sub: "2", contexts: ["other"] }), "other");
  const ada = await enter(server, token, "context_123");
  await dashboard.until(update({ agents_online: 1, visitors_online: 1 }));
  await ann.close();
  await dashboard.until(update({ agents_online: 1, visitors_online: 0 }));
  assert.equal((await dashboard.ask("unsubscribe")).type, "unsubscribed");
  const heard = dashboard.received.length;

  // An agent who names no context sees the workspace.
  const whole = await open(server, "analytics");
  const me = await whole.ask("auth", { token });
  assert.deepEqual([me.type, me.data.contextId, me.data.role], ["authenticated", null, "agent"]);
  assert.equal((await whole.ask("subscribe", { metrics: ["activity"] })).type, "subscribed");
  // The agent, twice; the participant with the dashboard; the stranger.
  const workspace = (agents: number, visitors: number, connections: number) => ({ data }: Line) =>
    data?.metric === "activity" && data.value.agents_online === agents &&
    data.value.visitors_online === visitors && data.value.connections === connections;
  await whole.until(workspace(1, 2, 4));
  await Promise.all([ada.close(), stranger.close()]);
  await whole.until(workspace(1, 1, 2));
  const everything = ["engagement", "performance", "messages_in"];
  const more = await whole.ask("subscribe", { metrics: everything });
  assert.deepEqual(more.data, { metrics: everything, unavailable: [] });
  for (const name of everything) await whole.until(({ data }) => data?.metric === name);
  const unknown = await whole.ask("subscribe", { metrics: ["nonsense"] });
  assert.equal(unknown.data.code, "not_found");
  assert.match(unknown.error, /engagement.*visitors_online/);
  assert.equal(dashboard.received.length, heard, "nothing after unsubscribe");

  // Others than agents have to have a context that their token names.
  const several = await sign({ sub: "3", contexts: ["a", "b"] });
  const refused = await open(server, "analytics", { token: several });
  assert.equal((await refused.until(({ type }) => type === "error")).data.code, "invalid");
  const forbidden = await open(server, "analytics", { token: several, contextId: "c" });
  assert.equal((await forbidden.closed).code, 3500);
  assert.equal(forbidden.received[0].data.code, "forbidden");
  await Promise.all([dashboard, whole, refused].map((one) => one.close()));
}, ENV);
