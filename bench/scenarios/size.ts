/**
 * Pages and search in a large database, compared with a small one: HTTP requests, and the indexes
 * that the database uses for them.
 */
import { CompiledQuery, sql } from "kysely";
import { type Db, openDatabase } from "../../db/database.ts";
import { createUser } from "../../domain/agents/users.ts";
import { listMessages } from "../../domain/conversations/queries.ts";
import { listConversations } from "../../domain/conversations/list.ts";
import { unreadCounts } from "../../domain/conversations/unread.ts";
import { search } from "../../domain/search/search.ts";
import type { ConversationList } from "../../protocol/rest.ts";
import type { SearchKind } from "../../protocol/search.ts";
import { makeDatabase } from "../../tests/support/server.ts";
import { makeDataDir } from "../../tests/support/template.ts";
import { generate, type Size, wordAt } from "../generate.ts";
import { ADMIN, type Engine, postgresIsThere, UNLIMITED } from "../lib/databases.ts";
import { startServer } from "../lib/processes.ts";
import { heading, number, percentile, table, verdict } from "../lib/report.ts";

/** The embedded database is for one small team, so it gets a tenth. */
const SIZES: Record<Engine, Size> = {
  postgres: { conversations: 100_000, messages: 1_000_000 },
  pglite: { conversations: 10_000, messages: 100_000 },
};
const SMALL: Size = { conversations: 1_000, messages: 10_000 };
const ROUNDS = 25;
const WARM_UP = 5;
const PAGE_MS = 100;
const SEARCH_MS = 200;

interface Large {
  env: Record<string, string>;
  url: string | undefined;
  dataDir: string;
  drop(): Promise<void>;
}

async function make(engine: Engine, size: Size): Promise<Large> {
  const dataDir = await makeDataDir();
  const made = engine === "postgres" ? await makeDatabase() : null;
  const opened = await openDatabase({ url: made?.url, dataDir, pool: 1 });
  await generate(opened.db, size);
  await createUser(opened.db, { ...ADMIN, name: "Bench", role: "admin" });
  await opened.close();
  return {
    url: made?.url,
    dataDir,
    env: {
      ...UNLIMITED,
      DATA_DIR: dataDir,
      ...(made === null ? {} : { DATABASE_URL: made.url }),
    },
    async drop() {
      await made?.drop();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

const UNREAD = "The sum of what is unread, counted when agents connect";

/** Search queries. */
const FIND = {
  frequent: wordAt(1),
  common: wordAt(30),
  rare: wordAt(9_000),
  beginning: wordAt(1).slice(0, 2),
  "several words": `${wordAt(1)} ${wordAt(2)} ${wordAt(3)}`,
  nothing: "nothingofthat",
};

interface Question {
  name: string;
  path: (ids: Ids) => string;
  /** The same without HTTP, to see which indexes it uses. */
  run: (db: Db, ids: Ids) => Promise<unknown>;
}

interface Ids {
  agent: string;
  long: string;
  short: string;
}

function questions(): Question[] {
  const list = (name: string, query: Record<string, string>): Question => ({
    name: `inbox: ${name}`,
    path: () => `/api/conversations?${new URLSearchParams({ limit: "50", ...query })}`,
    run: (db, { agent }) => listConversations(db, { userId: agent, limit: 50, ...query }),
  });
  const thread = (name: string, which: "long" | "short", before?: number): Question => ({
    name: `thread: ${name}`,
    path: (ids) =>
      `/api/conversations/${ids[which]}/messages${before === undefined ? "" : `?before=${before}`}`,
    run: (db, ids) =>
      listMessages(db, { conversationId: ids[which], publicOnly: false, before, limit: 50 }),
  });
  const find = (name: string, q: string, kind?: SearchKind): Question => {
    const query = { q, ...(kind === undefined ? {} : { kind }) };
    return {
      name: `search: ${name}`,
      path: () => `/api/search?${new URLSearchParams(query)}`,
      run: (db, { agent }) => search(db, agentOf(agent), query),
    };
  };
  return [
    list("open", { status: "open", view: "all" }),
    list("mine, open", { status: "open", view: "mine" }),
    list("unassigned, open", { status: "open", view: "unassigned" }),
    list("open, the longest waiting", { status: "open", sort: "waiting" }),
    list("open, by priority", { status: "open", sort: "priority" }),
    list("resolved", { status: "resolved" }),
    list("all", {}),
    list("mine, any status", { view: "mine" }),
    list("unassigned, any status", { view: "unassigned" }),
    thread("first page", "short"),
    thread("first page of the longest", "long"),
    thread("history, far back", "long", 60),
    ...Object.entries(FIND).map(([name, q]) => find(`messages, ${name}`, q, "messages")),
    find("contacts, a name", "maria lop", "contacts"),
    find("contacts, a beginning", "ma", "contacts"),
    find("contacts, an address", "c500@", "contacts"),
    find("conversations, a name", "maria", "conversations"),
    find("conversations, a beginning", "ma", "conversations"),
    find("all kinds, as the box asks", "maria"),
  ];
}

const agentOf = (userId: string) => ({
  kind: "agent" as const,
  userId,
  userName: "",
  role: "agent" as const,
  tokenId: null,
  signInId: null,
  expiresAt: null,
});

/** Milliseconds of each request, by its name; small and large take turns. */
async function measure(databases: Large[]): Promise<Map<string, number[]>[]> {
  const servers = [];
  for (const { env } of databases) {
    servers.push(await startServer("Parley", "parley.ts", env));
  }
  try {
    const asked = await Promise.all(servers.map(async ({ port }) => {
      const url = `http://127.0.0.1:${port}`;
      const body = JSON.stringify(ADMIN);
      const headers = { "content-type": "application/json" };
      const signedIn = await fetch(`${url}/api/auth/login`, { method: "POST", headers, body });
      const { token } = await signedIn.json() as { token: string };
      const get = async (path: string) => {
        const started = performance.now();
        const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
        const text = await answer.text();
        const ms = performance.now() - started;
        if (!answer.ok) throw new Error(`Cannot measure "${path}": ${text}`);
        return { ms, text };
      };
      const first = JSON.parse((await get("/api/conversations?limit=2")).text) as ConversationList;
      const ids = { agent: "", long: first.items[0]!.id, short: first.items[1]!.id };
      return { get, ids, times: new Map<string, number[]>() };
    }));
    for (const { name, path } of questions()) {
      for (let round = 0; round < WARM_UP + ROUNDS; round++) {
        for (const { get, ids, times } of asked) {
          const { ms } = await get(path(ids));
          if (round >= WARM_UP) times.set(name, [...times.get(name) ?? [], ms]);
        }
      }
    }
    return asked.map(({ times }) => times);
  } finally {
    for (const server of servers) await server.kill("SIGTERM");
  }
}

interface Plan {
  "Node Type": string;
  "Index Name"?: string;
  "Relation Name"?: string;
  Plans?: Plan[];
}

/** What a plan reads: indexes by name, sequential scans in bold. */
function readsOf(plan: Plan): string[] {
  const own = plan["Node Type"] === "Seq Scan"
    ? [`**${plan["Relation Name"]} as a whole**`]
    : plan["Index Name"] ?? [];
  return [own, plan.Plans?.flatMap(readsOf) ?? []].flat();
}

/**
 * What the functions of the search read, which have no visible plans: from the database's
 * statistics.
 */
async function scansOf(trx: Db): Promise<Map<string, number>> {
  const { rows } = await sql<{ name: string; scans: number }>`
    select case relkind when 'r' then '**' || relname || ' as a whole**' else relname end as name,
      pg_stat_get_xact_numscans(oid)::int as scans
    from pg_class where relnamespace = current_schema()::regnamespace
      and (relkind = 'r' or relname like '%\\_search' or relname = 'conversations_activity')`
    .execute(trx);
  return new Map(rows.map(({ name, scans }) => [name, scans]));
}

/** The indexes that each request uses. */
async function indexesOf({ url, dataDir }: Large): Promise<Map<string, string>> {
  const { db, close } = await openDatabase({ url, dataDir, pool: 1 });
  const result = new Map<string, string>();
  try {
    const { rows } = await sql<Ids>`select
      (select id from users where email = 'agent0@example.com') as agent,
      (select id from conversations order by last_seq desc limit 1) as long,
      (select id from conversations order by last_activity_at desc offset 1 limit 1) as short`
      .execute(db);
    const all = [...questions(), {
      name: UNREAD,
      run: (trx: Db, { agent }: Ids) => unreadCounts(trx, [agent]),
    }];
    for (const { name, run } of all) {
      await db.transaction().execute(async (trx) => {
        const asked: CompiledQuery[] = [];
        const listening = trx.withPlugin({
          transformQuery({ node, queryId }) {
            asked.push(trx.getExecutor().compileQuery(node, queryId));
            return node;
          },
          transformResult: ({ result }) => Promise.resolve(result),
        });
        const before = await scansOf(trx);
        await run(listening, rows[0]!);
        const after = await scansOf(trx);
        const reads = new Set(
          [...after].filter(([name, scans]) => scans > (before.get(name) ?? 0))
            .map(([name]) => name),
        );
        for (const { sql: text, parameters } of asked) {
          const explain = CompiledQuery.raw(`explain (format json) ${text}`, [...parameters]);
          const plans = await trx.executeQuery<{ "QUERY PLAN": [{ Plan: Plan }] }>(explain);
          for (const read of readsOf(plans.rows[0]!["QUERY PLAN"][0].Plan)) reads.add(read);
        }
        result.set(name, [...reads].sort().join(", "));
      });
    }
  } finally {
    await close();
  }
  return result;
}

export async function size(): Promise<void> {
  const engines: Engine[] = [...(await postgresIsThere() ? ["postgres" as const] : []), "pglite"];
  for (const engine of engines) {
    const { conversations, messages } = SIZES[engine];
    heading(
      `size, ${engine}: ${number(conversations)} conversations and ${number(messages)} messages`,
    );
    const started = performance.now();
    const large = await make(engine, SIZES[engine]);
    const seconds = (performance.now() - started) / 1000;
    const small = await make(engine, SMALL);
    try {
      const [big, little] = await measure([large, small]) as [
        Map<string, number[]>,
        Map<string, number[]>,
      ];
      const indexes = await indexesOf(large);
      const rows = questions().map(({ name }) => {
        const ms = big.get(name)!, base = little.get(name)!;
        const [p50, p95] = [percentile(ms, 50), percentile(ms, 95)];
        const [base50, base95] = [percentile(base, 50), percentile(base, 95)];
        return [
          name,
          number(Math.min(...ms), 1),
          number(p50, 1),
          number(p95, 1),
          number(base50, 1),
          number(base95, 1),
          `${number(p50 / base50, 1)} ×`,
          indexes.get(name)!,
        ];
      });
      const columns = ["lowest ms", "p50", "p95", "small p50", "p95", "p50 ratio", "indexes"];
      console.log(table(["what", ...columns], rows));
      console.log(`\n${UNREAD}, reads ${indexes.get(UNREAD)}.`);
      console.log(
        `\nSmall: ${number(SMALL.conversations)} conversations and ${number(SMALL.messages)} ` +
          `messages. ${ROUNDS} rounds; times are those of whole HTTP requests, seen by the ` +
          `client. The large one was made in ${number(seconds)} s.`,
      );
      for (const [what, budget] of [["inbox", PAGE_MS], ["thread", PAGE_MS]] as const) {
        judge(engine, what, "p95 of the slowest page", budget, big);
      }
      judge(engine, "search", "p95 of the slowest search", SEARCH_MS, big);
    } finally {
      await large.drop();
      await small.drop();
    }
  }
}

function judge(
  engine: Engine,
  what: string,
  words: string,
  budget: number,
  times: Map<string, number[]>,
): void {
  const slowest = Math.max(
    ...[...times].filter(([name]) => name.startsWith(what)).map(([, ms]) => percentile(ms, 95)),
  );
  const kept = slowest < budget;
  verdict(`${engine}, ${what}, ${words}`, `${number(slowest, 1)} ms`, `< ${budget} ms`, kept);
}
