/** Figures that were rolled up, compared with a count of the raw rows by other means. */
import assert from "node:assert/strict";
import { sql } from "kysely";
import { type Db, openDatabase } from "../db/database.ts";
import { uuidv7 } from "../db/uuid.ts";
import { readDrillDown } from "../domain/analytics/drill_down.ts";
import { boundaries } from "../domain/analytics/calendar.ts";
import { fold } from "../domain/analytics/fold.ts";
import { bucketOf, quantile } from "../domain/analytics/histogram.ts";
import { addPoints } from "../domain/analytics/points.ts";
import { DEFINITIONS } from "../domain/analytics/registry.ts";
import { readHeatMap, readSeries } from "../domain/analytics/series.ts";
import type { MetricDimension, MetricInterval, MetricName } from "../protocol/analytics.ts";
import { makeDatabase } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { makeDataDir } from "./support/template.ts";

const DAY = 86_400_000;
const RETENTION = { minutes: 60, hours: 400, days: 1830 };
const SEED = Number(
  Deno.env.get("PARLEY_TEST_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0],
);

/** Small and repeatable (mulberry32). */
function randomOf(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface Happened {
  at: number;
  conversation: number;
  what: "visitor" | "agent" | "bot" | "note" | "resolved" | "session";
  agent: string;
  /** Of some resolutions: what the visitor said of it. */
  rating?: number;
}

for (const engine of ["pglite", "postgres"] as const) {
  testWith(
    engine === "postgres" ? ["postgres"] : [],
    `figures are what a recount says, seed ${SEED} [${engine}]`,
    async () => {
      const dataDir = await makeDataDir();
      const made = engine === "postgres" ? await makeDatabase() : null;
      const { db, close } = await openDatabase({
        url: made?.url,
        directUrl: undefined,
        dataDir,
        pool: 4,
        onQuery: () => {},
      });
      try {
        await compare(db);
      } finally {
        await close();
        await made?.drop();
        await Deno.remove(dataDir, { recursive: true });
      }
    },
  );
}

const CONVERSATIONS = 12;
const EVENTS = 700;
/** Over the Sunday on which Berlin sets its clocks back. */
const FROM = Date.parse("2026-10-20T00:00Z");
const TO = Date.parse("2026-11-03T00:00Z");

async function compare(db: Db): Promise<void> {
  const random = randomOf(SEED);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const agents = [crypto.randomUUID(), crypto.randomUUID()];
  const people = await makePeople(db, agents);
  const labels = await makeLabels(db);
  const happened: Happened[] = Array.from({ length: EVENTS }, (): Happened => ({
    at: FROM + Math.floor(random() * (TO - FROM)),
    conversation: Math.floor(random() * CONVERSATIONS),
    what: pick([
      "visitor",
      "visitor",
      "visitor",
      "agent",
      "agent",
      "bot",
      "note",
      "resolved",
      "session",
    ]),
    agent: pick(agents),
    ...(random() < 0.4 ? { rating: 1 + Math.floor(random() * 5) } : {}),
  })).sort((a, b) => a.at - b.at);

  // Stored a piece after the other and folded between, now and then twice, as time goes on.
  const store = storer(db, people);
  let now = FROM;
  for (let next = 0; next < happened.length;) {
    now = next === 0 ? happened[0]!.at : now;
    const until = Math.min(TO, now + Math.floor(random() ** 3 * 2 * DAY));
    while (next < happened.length && happened[next]!.at <= until) await store(happened[next++]!);
    now = until;
    await relabel(db, people, labels, random);
    const again = random() < 0.2 ? Math.floor(random() * DAY) : 0;
    assert.equal(await fold(db, { now, retention: RETENTION, again }), true);
    if (random() < 0.3) await fold(db, { now, retention: RETENTION });
  }
  await fold(db, { now: TO, retention: RETENTION });
  // What was folded long ago counts under the labels of now.
  const labelled = await relabel(db, people, labels, random);

  const stories = Array.from(
    { length: CONVERSATIONS },
    (_, index) => happened.filter(({ conversation }) => conversation === index),
  );
  const options = { db, retention: RETENTION, now: TO + DAY };
  const zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"];
  const metrics: MetricName[] = [
    "messages_in",
    "messages_out",
    "conversations_started",
    "conversations_resolved",
    "returning_share",
    "messages_per_conversation",
    "writing_share",
    "first_response_median",
    "response_p90",
    "resolution_median",
    "satisfaction",
  ];
  const among = (by: MetricDimension | undefined, key: string): Among => ({
    ...(by === "agent" ? { agent: key } : {}),
    ...(by === "label" ? { conversations: withLabel(labelled, key) } : {}),
  });
  for (let round = 0; round < 25; round++) {
    const timeZone = pick(zones);
    const interval = pick(["hour", "day", "week", "month"] as MetricInterval[]);
    const from = Math.floor((FROM + random() * 6 * DAY) / 60_000) * 60_000;
    const to = from + Math.ceil(random() * 8 * 24 * 60) * 60_000;
    const asked = pick([undefined, "agent", "channel", "label", "label"] as const);
    for (const metric of metrics) {
      const where = `${metric} ${timeZone} ${interval} ${
        new Date(from).toISOString()
      } seed ${SEED}`;
      const { dimensions } = DEFINITIONS[metric];
      const by = asked !== undefined && dimensions.includes(asked) ? asked : undefined;
      const series = await readSeries(options, metric, {
        from: new Date(from),
        to: new Date(to),
        timeZone,
        interval,
        by,
        compare: undefined,
      });
      const edges = boundaries(from, to, interval, timeZone, 1000)!;
      assert.equal(series.buckets.length, edges.length - 1, where);
      for (const [index, { value }] of series.buckets.entries()) {
        const expected = recount(stories, metric, edges[index]!, edges[index + 1]!);
        same(value, expected, `${where}, stretch ${index}`);
      }
      same(series.total, recount(stories, metric, from, to), where);
      for (const part of series.parts) {
        const one = among(by, part.key);
        const wherePart = `${where}, ${by} ${part.key}`;
        same(part.total, recount(stories, metric, from, to, one), wherePart);
        for (const [index, { value }] of part.buckets.entries()) {
          const expected = recount(stories, metric, edges[index]!, edges[index + 1]!, one);
          // A part of which there is nothing to compute from is null, or no message at all: 0.
          if (value !== null || expected !== 0) same(value, expected, `${wherePart}, ${index}`);
        }
      }
      if (by === "label") {
        const there = new Set(series.parts.map(({ key }) => key));
        for (const key of ["", ...labels].filter((label) => !there.has(label))) {
          const rest: number = recount(stories, metric, from, to, among(by, key)) ?? 0;
          assert.equal(rest, 0, `${where}, no part for "${key}"`);
        }
      }
      const key = by === "label" ? pick(["", ...labels]) : pick(agents);
      if (by === "channel" || DEFINITIONS[metric].drillDown === undefined) continue;
      const query = { from: new Date(from), to: new Date(to), by, limit: 100 };
      const { items } = await readDrillDown(
        db,
        metric,
        by === undefined ? query : { ...query, key },
      );
      assert.deepEqual(
        items.map(({ conversationId, value }) => [conversationId, value]).sort(),
        weights(stories, people, metric, from, to, among(by, key)).sort(),
        `behind ${where}, ${by} ${key}`,
      );
      const values = items.map(({ value }) => value ?? 0);
      assert.deepEqual(values, values.toSorted((a, b) => b - a), `heaviest first: ${where}`);
    }
  }

  const heat = await readHeatMap(options, "messages_in", {
    from: new Date("2026-10-24T22:00Z"),
    to: new Date("2026-10-25T23:00Z"),
    timeZone: "Europe/Berlin",
  });
  const sunday = heat.days[6]!;
  const two = recount(
    stories,
    "messages_in",
    Date.parse("2026-10-25T00:00Z"),
    Date.parse("2026-10-25T02:00Z"),
  );
  assert.equal(sunday[2], two, "both hours from two to three");
  assert.equal(heat.days.slice(0, 6).flat().reduce<number>((sum, n) => sum + n!, 0), 0);
}

function same(found: number | null, expected: number | null, where: string): void {
  if (found === null || expected === null) return assert.equal(found, expected, where);
  assert.ok(Math.abs(found - expected) < 1e-6, `${found} instead of ${expected}: ${where}`);
}

interface People {
  conversations: { id: string; contact: string }[];
  widget: string;
}

async function makePeople(db: Db, agents: string[]): Promise<People> {
  const at = new Date(FROM).toISOString();
  for (const [index, id] of agents.entries()) {
    await sql`insert into users (id, email, name, password_hash, role)
      values (${id}, ${`agent${index}@example.com`}, ${`Agent ${index}`}, 'x', 'agent')`
      .execute(db);
  }
  const widget = uuidv7();
  await sql`insert into widget_configs (id, name, widget_key, secret)
    values (${widget}, 'W', ${widget}, 's')`.execute(db);
  const conversations = [];
  for (let index = 0; index < CONVERSATIONS; index++) {
    const id = uuidv7();
    const contact = uuidv7();
    await sql`insert into contacts (id, name) values (${contact}, 'Ann')`.execute(db);
    await sql`insert into conversations (id, contact_id, created_at)
      values (${id}, ${contact}, ${at})`.execute(db);
    conversations.push({ id, contact });
  }
  return { conversations, widget };
}

async function makeLabels(db: Db): Promise<string[]> {
  const ids = Array.from({ length: 3 }, () => uuidv7());
  for (const [index, id] of ids.entries()) {
    await sql`insert into labels (id, name, color) values (${id}, ${`Label ${index}`}, 'gray')`
      .execute(db);
  }
  return ids;
}

/** Gives each conversation other labels, from none to all. @returns those of each conversation. */
async function relabel(
  db: Db,
  { conversations }: People,
  labels: string[],
  random: () => number,
): Promise<string[][]> {
  await sql`delete from conversation_labels`.execute(db);
  const result = [];
  for (const { id } of conversations) {
    const own = labels.filter(() => random() < 0.4);
    for (const label of own) {
      await sql`insert into conversation_labels (conversation_id, label_id)
        values (${id}, ${label})`.execute(db);
    }
    result.push(own);
  }
  return result;
}

/** The numbers of the conversations with a label; with "": of those without any. */
function withLabel(labelled: readonly string[][], label: string): Set<number> {
  return new Set([...labelled.keys()].filter((index) => {
    const own = labelled[index]!;
    return label === "" ? own.length === 0 : own.includes(label);
  }));
}

/** Stores what happened as rows, with the session of a visitor's message being the last that began. */
function storer(db: Db, { conversations, widget }: People) {
  const seqs = new Map<number, number>();
  const sessions = new Map<number, string>();
  const wroteLast = new Map<number, string>();
  return async ({ at, conversation, what, agent, rating }: Happened): Promise<void> => {
    const { id, contact } = conversations[conversation]!;
    const time = new Date(at).toISOString();
    if (what === "session") {
      const session = uuidv7();
      sessions.set(conversation, session);
      await sql`insert into chat_sessions
          (id, session_id, widget_id, contact_id, created_at, expires_at)
        values (${session}, ${session}, ${widget}, ${contact}, ${time}, ${time})`.execute(db);
      return;
    }
    const seq = (seqs.get(conversation) ?? 0) + 1;
    seqs.set(conversation, seq);
    const resolved = what === "resolved";
    const payload = resolved ? { status: "resolved", actor: { role: "agent", userId: agent } } : {};
    await sql`insert into conversation_events
        (conversation_id, seq, type, payload, created_at)
      values (${id}, ${seq}, ${resolved ? "conversation_changed" : "message"},
        ${JSON.stringify(payload)}::jsonb, ${time})`.execute(db);
    if (what === "agent") wroteLast.set(conversation, agent);
    const role = resolved ? "system" : what === "note" ? "agent" : what;
    await sql`insert into chat_messages (id, conversation_id, seq, session_id, sender_id,
        sender_role, sender_name, type, content, is_private, platform, inbound_count,
        outbound_count, created_at)
      values (${uuidv7()}, ${id}, ${seq}, ${
      what === "visitor" ? sessions.get(conversation) ?? null : null
    }, ${role === "agent" ? agent : role}, ${role}, 'x', ${resolved ? "activity" : "text"}, 'x',
        ${resolved || what === "note"}, 'web', 0, 0, ${time})`.execute(db);
    if (!resolved || rating === undefined) return;
    const last = wroteLast.get(conversation) ?? null;
    await sql`insert into conversation_ratings
        (conversation_id, resolved_seq, rating, agent_id, channel, created_at)
      values (${id}, ${seq}, ${rating}, ${last}, 'web', ${time})`.execute(db);
  };
}

/** What happened in each conversation, by its number. */
type Stories = readonly Happened[][];

/** What is counted: everything, or what one agent did, or some conversations by their numbers. */
interface Among {
  agent?: string;
  conversations?: ReadonlySet<number>;
}

/** One conversation after the other, one event after the other. */
function tallyOf(
  stories: Stories,
  from: number,
  to: number,
  { agent, conversations }: Among = {},
) {
  const inside = (at: number) => at >= from && at < to;
  const tally = { in: 0, out: 0, started: 0, returning: 0, resolved: 0, messages: 0 };
  const sessions = { begun: 0, wrote: 0 };
  const times = { first: [] as number[], response: [] as number[], resolution: [] as number[] };
  const ratings: number[] = [];
  const mine = (one: Happened) => agent === undefined || one.agent === agent;
  for (let index = 0; index < CONVERSATIONS; index++) {
    if (conversations !== undefined && !conversations.has(index)) continue;
    let resolvedBefore = false;
    let wroteLast: string | null = null;
    let startedAt: number | null = null;
    let answered = false;
    let waitingSince: number | null = null;
    let messages = 0;
    let session: { at: number; wrote: boolean } | null = null;
    for (const one of stories[index]!) {
      const { at, what } = one;
      if (what === "session") {
        session = { at, wrote: false };
        if (inside(at)) sessions.begun++;
      }
      if (what === "visitor") {
        if (inside(at)) tally.in++;
        messages++;
        if (startedAt === null) {
          startedAt = at;
          if (inside(at)) tally.started++;
          if (inside(at) && resolvedBefore) tally.returning++;
        }
        waitingSince ??= at;
        if (session !== null && !session.wrote) {
          session.wrote = true;
          if (inside(session.at)) sessions.wrote++;
        }
      }
      if (what === "agent" || what === "bot") {
        messages++;
        if (inside(at) && mine(one) && (what === "agent" || agent === undefined)) tally.out++;
      }
      if (what === "agent") {
        wroteLast = one.agent;
        if (waitingSince !== null && inside(at) && mine(one)) {
          const seconds = (at - waitingSince) / 1000;
          times.response.push(seconds);
          if (!answered) times.first.push(seconds);
        }
        answered = true;
        waitingSince = null;
      }
      if (what === "resolved") {
        const theirs = agent === undefined || wroteLast === agent;
        if (one.rating !== undefined && inside(at) && theirs) ratings.push(one.rating);
        if (startedAt !== null && inside(at) && mine(one)) {
          tally.resolved++;
          tally.messages += messages;
          times.resolution.push((at - startedAt) / 1000);
        }
        resolvedBefore = true;
        startedAt = null;
        answered = false;
        waitingSince = null;
        messages = 0;
      }
    }
  }
  return { tally, sessions, times, ratings };
}

function recount(
  stories: Stories,
  metric: MetricName,
  from: number,
  to: number,
  among: Among = {},
): number | null {
  const { tally, sessions, times, ratings } = tallyOf(stories, from, to, among);
  const share = (of: number, per: number) => per === 0 ? null : of / per;
  const rank = (list: number[], q: number) => {
    if (list.length === 0) return null;
    const sorted = list.sort((a, b) => a - b);
    // To the exactness of a bucket.
    const exact = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
    return quantile(new Map([[bucketOf(exact), 1]]), 0.5);
  };
  const counted: Partial<Record<MetricName, number | null>> = {
    messages_in: tally.in,
    messages_out: tally.out,
    conversations_started: tally.started,
    conversations_resolved: tally.resolved,
    returning_share: share(tally.returning, tally.started),
    messages_per_conversation: share(tally.messages, tally.resolved),
    writing_share: share(sessions.wrote, sessions.begun),
    first_response_median: rank(times.first, 0.5),
    response_p90: rank(times.response, 0.9),
    resolution_median: rank(times.resolution, 0.5),
    satisfaction: share(ratings.reduce((sum, one) => sum + one, 0), ratings.length),
  };
  return counted[metric]!;
}

/** The conversations behind a figure, each with what it weighs. */
function weights(
  stories: Stories,
  { conversations }: People,
  metric: MetricName,
  from: number,
  to: number,
  among: Among,
): [string, number | null][] {
  return conversations.flatMap(({ id }, index): [string, number | null][] => {
    if (among.conversations !== undefined && !among.conversations.has(index)) return [];
    const { tally, times, ratings } = tallyOf(stories, from, to, {
      ...among,
      conversations: new Set([index]),
    });
    const counted = (n: number): [string, number | null][] => n === 0 ? [] : [[id, n]];
    const longest = (list: number[]): [string, number | null][] =>
      list.length === 0 ? [] : [[id, Math.max(...list)]];
    switch (DEFINITIONS[metric].drillDown!) {
      case "messages_in":
        return counted(tally.in);
      case "messages_out":
        return counted(tally.out);
      case "started":
        return tally.started === 0 ? [] : [[id, null]];
      case "first_response":
        return longest(times.first);
      case "response":
        return longest(times.response);
      case "resolution":
        if (DEFINITIONS[metric].unit === "seconds") return longest(times.resolution);
        return tally.resolved === 0 ? [] : [[id, null]];
      default: {
        const sum = ratings.reduce((total, one) => total + one, 0);
        return ratings.length === 0 ? [] : [[id, sum / ratings.length]];
      }
    }
  });
}

Deno.test("what is committed after its minute was counted counts all the same, once", async () => {
  const dataDir = await makeDataDir();
  const { db, close } = await openDatabase({
    url: undefined,
    directUrl: undefined,
    dataDir,
    pool: 2,
    onQuery: () => {},
  });
  const agent = crypto.randomUUID();
  const store = storer(db, await makePeople(db, [agent]));
  const at = (text: string) => Date.parse(`2026-10-20T10:${text}Z`);
  const happen = (what: Happened["what"], text: string) =>
    store({ at: at(text), conversation: 0, what, agent });
  const foldAt = (text: string) => fold(db, { now: at(text), retention: RETENTION });
  await happen("session", "00:01.000");
  await happen("visitor", "00:05.000");
  await foldAt("00:06.000");
  // Written before the fold and committed after it, and then later in the same minute.
  await happen("agent", "00:05.500");
  await happen("visitor", "00:40.000");
  await happen("resolved", "00:41.000");
  await foldAt("00:42.000");
  await foldAt("00:43.000");
  // A node that was away goes on where it was.
  await happen("visitor", "00:59.900");
  await happen("agent", "03:00.000");
  await foldAt("30:00.000");
  await foldAt("31:00.000");
  const rows = await db.selectFrom("metric_points").select(["metric"])
    .select(({ fn }) => fn.sum<number>("value").as("value"))
    .where("resolution", "=", "day").where("dimension", "=", "all")
    .groupBy("metric").orderBy("metric").execute();
  assert.deepEqual(Object.fromEntries(rows.map(({ metric, value }) => [metric, Number(value)])), {
    first_response: 2,
    messages_in: 3,
    messages_out: 2,
    resolution: 1,
    resolved: 1,
    resolved_messages: 3,
    response: 2,
    returning: 1,
    sessions: 1,
    started: 2,
    wrote: 1,
  });
  await close();
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("what is counted twice adds up, and what is too old is not kept", async () => {
  const dataDir = await makeDataDir();
  const { db, close } = await openDatabase({
    url: undefined,
    directUrl: undefined,
    dataDir,
    pool: 2,
    onQuery: () => {},
  });
  const now = Date.parse("2026-11-01T00:00Z");
  const long = now - 100 * DAY;
  const counts = [now - 5 * 60_000, long].map((at) => ({
    metric: "sessions" as const,
    at,
    value: 2,
  }));
  await addPoints(db, counts, { minutes: 3, hours: 31, days: 366 }, now);
  await addPoints(db, counts, { minutes: 3, hours: 31, days: 366 }, now);
  const rows = await db.selectFrom("metric_points").select(["resolution", "value"])
    .orderBy("at").orderBy("resolution").execute();
  assert.deepEqual(rows.map(({ resolution, value }) => `${resolution} ${value}`), [
    "day 4",
    "day 4",
    "hour 4",
    "quarter 4",
    "minute 4",
  ]);
  await close();
  await Deno.remove(dataDir, { recursive: true });
});
