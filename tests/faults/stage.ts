/** A Postgres cluster, a Redis server, and nodes with people on them, to be broken one way at a time. */
import { openTcpProxy, type TcpProxy } from "../support/tcp_proxy.ts";
import { type Group, judge, openGroup } from "./group.ts";
import { eventually } from "./health.ts";
import { migrateDatabase, type PostgresServer, startPostgresServer } from "./postgres_server.ts";
import { type Reaper, startReaper } from "./reaper.ts";
import { type RedisServer, startRedisServer } from "./redis_server.ts";
import { type Lines, untilServed, watchLive, watchLogs } from "./watch.ts";

/** `short` has the same causes in less time, for the test suite. */
export type Size = "short" | "long";

export interface Stage {
  readonly size: Size;
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  /** Between the nodes and Redis. */
  readonly redisWay: TcpProxy;
  /** One node alone. */
  readonly one: Group;
  /** Three nodes on one database, with Redis between them. */
  readonly three: Group;
  databaseOf(group: Group): string;
  /** Of every group: what is the same for all. */
  readonly common: { reaper: Reaper; everyMs: number; env: Record<string, string> };
  close(): Promise<void>;
}

export interface Scenario {
  name: string;
  /** Whom it can touch; by default both groups of the stage. */
  groups?: (stage: Stage) => Group[];
  /** A group of its own instead, which is closed after. */
  open?: (stage: Stage) => Promise<Group>;
  /** Takes so long even when it is short that only `deno task faults` plays it. */
  longOnly?: boolean;
  /** Lines about an outage that each node of the group logs. */
  logs: (group: Group, stage: Stage) => Lines;
  /** Milliseconds in which the log says that it is over, where it waits longer to be sure. */
  logMs?: number;
  /** Why this machine cannot run it; null: it can. */
  unable?: () => string | null;
  /** Resolves when the cause has ended. @returns what was wrong meanwhile */
  run(stage: Stage, group: Group): Promise<string[]>;
}

export interface Row {
  scenario: string;
  group: string;
  /** Refusals by code. */
  refused: Record<string, number>;
  healedMs: number;
  longestLiveMs: number;
  acknowledged: number;
  lost: number;
  doubled: number;
  wrong: string[];
}

/** How long everybody may take to be served again; how long they took is in the report. */
const HEAL_MS = 30_000;
/**
 * What was acknowledged reaches everybody who is there within this time: who polls on a connection
 * that is dead without knowing it finds out by its heartbeat.
 */
const HEARD_MS = 60_000;
/** The log says that something is back when it was for a second. */
const LOG_MS = 2500;

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Timeouts toward the database in the suite, where nobody waits for the real ones. */
const SHORT_ENV = {
  DATABASE_STATEMENT_TIMEOUT_MS: "1500",
  DATABASE_LOCK_TIMEOUT_MS: "800",
  DATABASE_IDLE_TRANSACTION_TIMEOUT_MS: "1000",
  DATABASE_QUERY_TIMEOUT_MS: "2000",
  DATABASE_CONNECT_TIMEOUT_MS: "2000",
};

export async function openStage(size: Size): Promise<Stage> {
  const reaper = startReaper();
  const ends: (() => Promise<void> | void)[] = [() => reaper.close()];
  const close = async () => {
    for (const end of ends.toReversed()) await end();
  };
  try {
    const postgres = await startPostgresServer(reaper);
    ends.push(() => postgres.close());
    const redis = await startRedisServer();
    ends.push(() => redis.close());
    const redisWay = openTcpProxy({ hostname: "127.0.0.1", port: redis.port });
    ends.push(() => redisWay.close());
    const names = { one: "parley_one", three: "parley_three" };
    await migrateDatabase(postgres, names.one);
    await postgres.query(`create database ${names.three} template ${names.one}`);
    const env = { ...(size === "short" ? SHORT_ENV : {}), DATABASE_POOL: "5" };
    const common = { reaper, everyMs: size === "short" ? 150 : 100, env };
    const [one, three] = await Promise.all([
      openGroup({
        ...common,
        name: "Postgres, 1 node",
        nodes: 1,
        env: { ...env, DATABASE_URL: postgres.urlOf(names.one) },
      }),
      openGroup({
        ...common,
        name: "Postgres and Redis, 3 nodes",
        nodes: 3,
        env: {
          ...env,
          DATABASE_URL: postgres.urlOf(names.three),
          REDIS_URL: `redis://127.0.0.1:${redisWay.port}`,
        },
      }),
    ]);
    ends.push(() => one.close(), () => three.close());
    return {
      size,
      postgres,
      redis,
      redisWay,
      common,
      one,
      three,
      databaseOf: (group) => group === one ? names.one : names.three,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Runs it, and says what became of everybody. */
export async function play(stage: Stage, scenario: Scenario): Promise<Row[]> {
  if (scenario.open === undefined) {
    return await playWith(stage, scenario, scenario.groups?.(stage) ?? [stage.one, stage.three]);
  }
  const group = await scenario.open(stage);
  try {
    return await playWith(stage, scenario, [group]);
  } finally {
    await group.close();
  }
}

/** What everybody had done until now. */
function noteOf({ members }: Group) {
  return {
    acked: members.map(({ acked }) => acked.length),
    refusals: members.map(({ refusals }) => refusals.length),
  };
}

async function playWith(stage: Stage, scenario: Scenario, groups: Group[]): Promise<Row[]> {
  const notes = groups.map(noteOf);
  const live = watchLive(groups);
  const logs = watchLogs(groups);
  const wrong = await scenario.run(stage, groups[0]!).catch((error) => [`${error.stack}`]);
  const since = Date.now();
  const healed = await Promise.all(
    groups.map((group) => untilServed(group, since, HEAL_MS).catch((error) => error as Error)),
  );
  const members = groups.flatMap(({ members }) => members);
  for (const member of members) member.paused = true;
  await Promise.all(members.map((member) =>
    member
      .until(() => member.isQuiet && member.isConnected, "the answer to its last message", HEAL_MS)
      .catch((error: Error) => void wrong.push(error.message))
  ));
  const { longestMs, failures } = await live.stop();
  wrong.push(...failures.slice(0, 3));

  const rows: Row[] = [];
  for (const [i, group] of groups.entries()) {
    const expected = scenario.logs(group, stage);
    const own = i === 0 ? wrong : [];
    const healedMs = healed[i]!;
    if (healedMs instanceof Error) own.push(`not healed: ${healedMs.message}`);
    const { logMs = LOG_MS } = scenario;
    own.push(...await eventually(() => logs.read(group, expected), isNothing, logMs));
    own.push(...await endedNodes(group));
    const { refused, odd } = refusalsSince(group, notes[i]!);
    own.push(...odd.slice(0, 10));
    // Whoever polls may be served and wait for the way on which messages come.
    const verdict = await eventually(
      () =>
        judge(group).catch((error) => ({
          lost: -1,
          doubled: -1,
          wrong: [`cannot look at what is stored: ${error}`],
        })),
      (one) => isNothing(one.wrong),
      HEARD_MS,
    );
    own.push(...verdict.wrong);
    const acked = group.members.map(({ acked }, n) => acked.length - notes[i]!.acked[n]!);
    rows.push({
      scenario: scenario.name,
      group: group.name,
      refused,
      healedMs: healedMs instanceof Error ? -1 : healedMs,
      longestLiveMs: longestMs,
      acknowledged: acked.reduce((sum, count) => sum + count, 0),
      lost: verdict.lost,
      doubled: verdict.doubled,
      wrong: own,
    });
  }
  for (const member of members) member.paused = false;
  return rows;
}

const isNothing = (sentences: string[]) => sentences.length === 0;

/** Nobody ends but who is killed, and nobody is. */
async function endedNodes({ name, nodes }: Group): Promise<string[]> {
  const wrong: string[] = [];
  for (const node of nodes) {
    const ended = await Promise.race([node.ended, later(0).then(() => null)]);
    if (ended === null) continue;
    wrong.push(`${name}: a process ended with ${ended}: ${node.lines.slice(-5).join(" ")}`);
  }
  return wrong;
}

/** Every refusal has to say that it passes, and when. */
function refusalsSince(group: Group, { refusals }: ReturnType<typeof noteOf>) {
  const refused: Record<string, number> = {};
  const odd = new Set<string>();
  for (const [n, member] of group.members.entries()) {
    for (const one of member.refusals.slice(refusals[n])) {
      const { code, retryAfter, protocol, at, message } = one;
      refused[code] = (refused[code] ?? 0) + 1;
      if (code === "unavailable" && retryAfter !== null && retryAfter > 0) continue;
      odd.add(`${protocol} refused ${at} with ${code}, retryAfter ${retryAfter}: ${message}`);
    }
  }
  return { refused, odd: [...odd] };
}
