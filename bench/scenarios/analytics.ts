/**
 * Analytics over 90 days with a million messages: HTTP requests, compared with a count of the raw
 * rows by the database itself, as it would be without the aggregated rows.
 */
import { type RawBuilder, sql } from "kysely";
import { type Db, openDatabase } from "../../db/database.ts";
import { createUser } from "../../domain/agents/users.ts";
import { fold } from "../../domain/analytics/fold.ts";
import { makeDatabase } from "../../tests/support/server.ts";
import { makeDataDir } from "../../tests/support/template.ts";
import { generate, type Size } from "../generate.ts";
import { ADMIN, type Engine, postgresIsThere, UNLIMITED } from "../lib/databases.ts";
import { type BenchServer, startServer } from "../lib/processes.ts";
import { heading, number, percentile, table, verdict } from "../lib/report.ts";

const DAYS = 90;
/** The embedded database is for one small team, so it gets a tenth. */
const SIZES: Record<Engine, Size> = {
  postgres: { conversations: 100_000, messages: 1_000_000, days: DAYS },
  pglite: { conversations: 10_000, messages: 100_000, days: DAYS },
};
const RETENTION = { minutes: 3, hours: 400, days: 1830 };
const ROUNDS = 20;
const WARM_UP = 3;
const BASELINE_ROUNDS = 5;
const BUDGET_MS = 300;
const DAY = 86_400_000;
/** An hour away from UTC: only hourly points add up to its days. */
const ZONE = { name: "Africa/Algiers", offset: 3_600_000 };

/** Events that the generator leaves out: resolutions, ratings, channels. */
async function happenings(db: Db): Promise<void> {
  const statements = [
    sql`set session_replication_role = replica`,
    sql`update conversations set platform =
      (array['web', 'whatsapp', 'telegram', 'email'])[1 + abs(hashtext(id::text)) % 4]`,
    sql`insert into conversation_events (conversation_id, seq, type, payload, is_private,
        created_at)
      select c.id, c.last_seq + 1, 'conversation_changed',
        jsonb_build_object('status', 'resolved', 'actor',
          jsonb_build_object('role', 'agent', 'userId', c.last_message_sender_id)),
        false, c.resolved_at + interval '1 minute'
      from conversations c where c.status = 'resolved'`,
    sql`update conversations set last_seq = last_seq + 1 where status = 'resolved'`,
    sql`insert into conversation_ratings (conversation_id, resolved_seq, rating, agent_id, channel,
        created_at)
      select c.id, c.last_seq, 1 + abs(hashtext(c.id::text)) % 5, u.id, c.platform,
        c.resolved_at + interval '2 minutes'
      from conversations c left join users u on u.id::text = c.last_message_sender_id
      where c.status = 'resolved' and abs(hashtext(c.id::text)) % 3 = 0`,
    sql`set session_replication_role = origin`,
    sql`vacuum analyze`,
  ];
  await db.connection().execute(async (one) => {
    for (const statement of statements) await statement.execute(one);
  });
}

interface Asked {
  from: string;
  to: string;
  agent: string;
  label: string;
}

interface Question {
  name: string;
  path: (asked: Asked) => string;
  /** The same from the raw rows; null where none of the counts below fits. */
  baseline: keyof typeof BASELINES | null;
}

/** How long visitors waited for each answer of an agent. */
const ANSWERS = sql`select conversation_id, sender_id, created_at,
    extract(epoch from created_at - first_value(created_at) over w) as seconds, sender_role,
    row_number() over w as place
  from (
    select *, count(*) filter (where sender_role = 'agent') over
      (partition by conversation_id order by seq desc) as turn
    from chat_messages where type = 'text' and not is_private
  ) turns window w as (partition by conversation_id, turn order by seq)`;
const within = ({ from, to }: Asked) => sql`created_at >= ${from} and created_at < ${to}`;
const day = sql`date_trunc('day', created_at, ${sql.lit(ZONE.name)})`;
const ninth = sql`percentile_disc(0.9) within group (order by seconds)`;
const answers = (asked: Asked) =>
  sql`(${ANSWERS}) a where sender_role = 'agent' and place > 1 and ${within(asked)}`;

/** Counts of the raw rows in plain SQL. */
const BASELINES = {
  messages: (asked: Asked) =>
    sql`select ${day}, count(*) from chat_messages where ${within(asked)}
      and sender_role = 'visitor' and type = 'text' and not is_private group by 1`,
  "messages by conversation": (asked: Asked) =>
    sql`select conversation_id, count(*), max(created_at) from chat_messages
      where ${within(asked)} and sender_role = 'visitor' and type = 'text' and not is_private
      group by 1 order by 2 desc limit 50`,
  answers: (asked: Asked) => sql`select ${day}, ${ninth} from ${answers(asked)} group by 1`,
  "answers by agent": (asked: Asked) =>
    sql`select sender_id, ${day}, ${ninth} from ${answers(asked)} group by 1, 2`,
  "answers by label": (asked: Asked) =>
    sql`select label_id, ${day}, ${ninth} from (select * from ${answers(asked)}) b
      left join (select conversation_id, label_id from conversation_labels) l
      using (conversation_id) group by 1, 2`,
  "answers by conversation": (asked: Asked) =>
    sql`select conversation_id, max(seconds) from ${answers(asked)}
      group by 1 order by 2 desc limit 50`,
} satisfies Record<string, (asked: Asked) => RawBuilder<unknown>>;

function questions(): Question[] {
  const ask =
    (where: string, metric: string, more: Record<string, string> = {}) => ({ from, to }: Asked) => {
      const query = new URLSearchParams({ metric, from, to, ...more });
      return `/api/analytics/${where}?${query}`;
    };
  const zone = { timeZone: ZONE.name };
  const messages = "messages_in";
  const times = "response_p90";
  const drillDown = (name: string, metric: string, baseline: Question["baseline"]): Question => ({
    name: `drill-down: ${name}`,
    path: ask("conversations", metric),
    baseline,
  });
  return [
    {
      name: "series: messages, and before",
      path: ask("series", messages, { ...zone, compare: "previous" }),
      baseline: "messages",
    },
    {
      name: "series: messages by channel",
      path: ask("series", messages, { ...zone, by: "channel" }),
      baseline: "messages",
    },
    {
      name: "series: response, and before",
      path: ask("series", times, { ...zone, compare: "previous" }),
      baseline: "answers",
    },
    ...["agent", "channel", "label"].map((by): Question => ({
      name: `series: response by ${by}`,
      path: ask("series", times, { ...zone, by }),
      baseline: by === "agent"
        ? "answers by agent"
        : by === "label"
        ? "answers by label"
        : "answers",
    })),
    ...["conversations_started", "messages_per_conversation", "resolution_p90", "satisfaction"].map(
      (metric): Question => ({
        name: `series: ${metric} by label`,
        path: ask("series", metric, { ...zone, by: "label" }),
        baseline: null,
      }),
    ),
    { name: "heat map: messages", path: ask("heatmap", messages, zone), baseline: "messages" },
    { name: "heat map: response", path: ask("heatmap", times, zone), baseline: "answers" },
    drillDown("messages", messages, "messages by conversation"),
    drillDown("response", times, "answers by conversation"),
    {
      name: "drill-down: response of an agent",
      path: (asked) => ask("conversations", times, { by: "agent", key: asked.agent })(asked),
      baseline: "answers by conversation",
    },
    {
      name: "drill-down: response of a rare label",
      path: (asked) => ask("conversations", times, { by: "label", key: asked.label })(asked),
      baseline: "answers by conversation",
    },
    drillDown("started", "conversations_started", null),
    drillDown("satisfaction", "satisfaction", null),
  ];
}

interface Made {
  env: Record<string, string>;
  db: Db;
  seconds: { made: number; folded: number };
  /** Closes the connection to it, for an engine that accepts only one. */
  leave(): Promise<void>;
  drop(): Promise<void>;
}

async function make(engine: Engine): Promise<Made> {
  const dataDir = await makeDataDir();
  const made = engine === "postgres" ? await makeDatabase() : null;
  const opened = await openDatabase({ url: made?.url, dataDir, pool: 1 });
  let started = performance.now();
  const lap = () => {
    const seconds = (performance.now() - started) / 1000;
    started = performance.now();
    return seconds;
  };
  await generate(opened.db, SIZES[engine]);
  await createUser(opened.db, { ...ADMIN, name: "Bench", role: "admin" });
  await happenings(opened.db);
  const seconds = { made: lap(), folded: 0 };
  await fold(opened.db, { now: Date.now(), retention: RETENTION });
  seconds.folded = lap();
  await sql`vacuum analyze`.execute(opened.db);
  return {
    env: {
      ...UNLIMITED,
      DATA_DIR: dataDir,
      ...(made === null ? {} : { DATABASE_URL: made.url }),
    },
    db: opened.db,
    seconds,
    leave: opened.close,
    async drop() {
      await made?.drop();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

async function askedOf(db: Db): Promise<Asked> {
  const to = Math.ceil(Date.now() / DAY) * DAY - ZONE.offset;
  const { rows: [ids] } = await sql<{ agent: string; label: string }>`select
    (select id from users where email = 'agent0@example.com') as agent,
    (select label_id from conversation_labels group by 1 order by count(*) limit 1) as label`
    .execute(db);
  return {
    from: new Date(to - DAYS * DAY).toISOString(),
    to: new Date(to).toISOString(),
    ...ids!,
  };
}

/** Milliseconds of each count of the raw rows. */
async function measureBaselines(db: Db, asked: Asked): Promise<Map<string, number>> {
  const medians = new Map<string, number>();
  for (const [name, query] of Object.entries(BASELINES)) {
    const times: number[] = [];
    for (let round = 0; round < BASELINE_ROUNDS; round++) {
      const started = performance.now();
      await query(asked).execute(db);
      times.push(performance.now() - started);
    }
    medians.set(name, percentile(times, 50));
  }
  return medians;
}

async function measure(
  server: BenchServer,
  asked: Asked,
): Promise<Map<string, { ms: number[]; cpu: number }>> {
  const url = `http://127.0.0.1:${server.port}`;
  const signedIn = await fetch(`${url}/api/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(ADMIN),
  });
  const { token } = await signedIn.json() as { token: string };
  const result = new Map<string, { ms: number[]; cpu: number }>();
  for (const { name, path } of questions()) {
    const ms: number[] = [];
    let before = 0;
    for (let round = 0; round < WARM_UP + ROUNDS; round++) {
      if (round === WARM_UP) before = server.cpu();
      const started = performance.now();
      const answer = await fetch(url + path(asked), {
        headers: { authorization: `Bearer ${token}` },
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`Cannot measure "${path(asked)}": ${text}`);
      if (round >= WARM_UP) ms.push(performance.now() - started);
    }
    result.set(name, { ms, cpu: (server.cpu() - before) * 1000 / ROUNDS });
  }
  return result;
}

export async function analytics(): Promise<void> {
  const engines: Engine[] = [...(await postgresIsThere() ? ["postgres" as const] : []), "pglite"];
  for (const engine of engines) {
    const { conversations, messages } = SIZES[engine];
    heading(
      `analytics, ${engine}: ${number(conversations)} conversations and ${number(messages)} ` +
        `messages in ${DAYS} days, all of them asked for`,
    );
    const made = await make(engine);
    try {
      const asked = await askedOf(made.db);
      const baselines = await measureBaselines(made.db, asked);
      await made.leave();
      const server = await startServer("Parley", "parley.ts", made.env);
      const times = await measure(server, asked).finally(() => server.kill("SIGTERM"));
      const rows = questions().map(({ name, baseline }) => {
        const { ms, cpu } = times.get(name)!;
        const base = baseline === null ? null : baselines.get(baseline)!;
        return [
          name,
          number(Math.min(...ms), 1),
          number(percentile(ms, 50), 1),
          number(percentile(ms, 95), 1),
          number(cpu, 1),
          base === null ? "" : number(base, 1),
          base === null ? "" : `${number(base / percentile(ms, 50), 1)} ×`,
          baseline ?? "",
        ];
      });
      const head = ["lowest ms", "p50", "p95", "server CPU ms", "raw rows p50", "faster by"];
      console.log(table(["what", ...head, "recounted"], rows));
      console.log(
        `\nDays of ${ZONE.name}, an hour beside those of UTC. ${ROUNDS} rounds of whole HTTP ` +
          `requests, seen by the client; raw rows: the median of ${BASELINE_ROUNDS} counts of ` +
          `all messages in SQL, without HTTP. Made in ${number(made.seconds.made)} s, folded ` +
          `for the first time in ${number(made.seconds.folded)} s.`,
      );
      const slowest = Math.max(...[...times.values()].map(({ ms }) => percentile(ms, 95)));
      verdict(
        `${engine}, p95 of the slowest`,
        `${number(slowest, 1)} ms`,
        `< ${BUDGET_MS} ms`,
        slowest < BUDGET_MS,
      );
    } finally {
      await made.leave().catch(() => {});
      await made.drop();
    }
  }
}
