/**
 * The embedded database after a month of traffic, a quarter of it edited and a quarter deleted,
 * compared with a fresh copy of the same rows: shows whether its housekeeping keeps it fast.
 */
import { PGlite } from "@electric-sql/pglite";
import { sql } from "kysely";
import { type Db, openDatabase } from "../../db/database.ts";
import { nextTask, runTask } from "../../db/housekeeping.ts";
import { createWriter, type Writer } from "../../domain/conversations/writer.ts";
import { listMessages } from "../../domain/conversations/queries.ts";
import { listConversations } from "../../domain/conversations/list.ts";
import { createEventBus } from "../../domain/events.ts";
import { SYSTEM } from "../../domain/conversations/unit_of_work.ts";
import { makeDataDir } from "../../tests/support/template.ts";
import { wordAt } from "../generate.ts";
import { conversationOf, makeBenchDatabase } from "../lib/databases.ts";
import { heading, median, number, percentile, spread, table, verdict } from "../lib/report.ts";

const CONVERSATIONS = 10_000;
const MESSAGES = Number(Deno.env.get("BENCH_MESSAGES") ?? "1000000");
const BATCH = 300;
const ROUNDS = 30;
const ASKED = 200;
const TABLES = [
  "contacts",
  "conversations",
  "chat_messages",
  "conversation_events",
  "participants",
  "message_words",
];

interface AgedDatabase {
  db: Db;
  writer: Writer;
  close(): Promise<void>;
}

async function open(dataDir: string): Promise<AgedDatabase> {
  const { db, epoch, close } = await openDatabase({ url: undefined, dataDir, pool: 1 });
  const bus = createEventBus((error) => console.error(error));
  return { db, writer: createWriter({ db, bus, epoch, maxPending: 10_000 }), close };
}

export async function aged(): Promise<void> {
  heading(
    `aged: the embedded database after ${
      number(MESSAGES)
    } messages, half of them edited or deleted`,
  );
  const made = await makeBenchDatabase("pglite", CONVERSATIONS);
  const old = await open(made.dataDir);
  const vacuums = await traffic(old);
  await old.close();
  const copied = await copyRows(made.dataDir);

  const aged = await open(made.dataDir);
  const fresh = await open(copied);
  const rows: string[][] = [];
  const ratios: number[] = [];
  for (const [name, run] of Object.entries(QUESTIONS)) {
    for (const { db } of [fresh, aged]) await indexAll(db);
    const times = { aged: [] as number[], fresh: [] as number[] };
    for (let i = -10; i < ASKED; i++) {
      for (const [which, each] of [["fresh", fresh], ["aged", aged]] as const) {
        const start = performance.now();
        await run(each, Math.abs(i));
        if (i >= 0) times[which].push(performance.now() - start);
      }
    }
    const p95 = (values: number[]) => number(percentile(values, 95), 1);
    ratios.push(median(times.aged) / median(times.fresh));
    rows.push([
      name,
      number(median(times.fresh), 2),
      p95(times.fresh),
      number(median(times.aged), 2),
      p95(times.aged),
      `${number(ratios.at(-1)!, 2)} ×`,
    ]);
  }
  console.log(table(["what", "fresh p50 ms", "p95", "aged p50 ms", "p95", "p50 ratio"], rows));
  console.log(`\nA table was tidied up ${vacuums.length} times, ms each ${spread(vacuums)}.`);
  const worst = Math.max(...ratios);
  verdict("aged against fresh, at worst", `${number(worst, 2)} ×`, "≤ 1.2 ×", worst <= 1.2);
  for (const each of [aged, fresh]) await each.close();
  await Deno.remove(copied, { recursive: true });
  await made.drop();
}

const QUESTIONS: Record<string, (each: AgedDatabase, i: number) => Promise<unknown>> = {
  "one message stored": ({ writer }, i) => writer.write(message(i * 7 % CONVERSATIONS)),
  "30 messages stored": ({ writer }, i) =>
    Promise.all(Array.from({ length: 30 }, (_, n) => writer.write(message(i * 30 + n)))),
  "inbox page": ({ db }) =>
    listConversations(db, { userId: contactOf(0), status: "open", limit: 50 }),
  "thread page": ({ db }, i) =>
    listMessages(db, { conversationId: conversationOf(i), publicOnly: false, limit: 50 }),
  "search, a frequent word": ({ db }) => find(db, wordAt(3)),
  "search, a rare word": ({ db }, i) => find(db, wordAt(9000 + i)),
};

const contactOf = (i: number) => conversationOf(i).replace("-9000-", "-8000-");
let sent = 0;

/** The frequency of a word follows its rank, as in natural language. */
function text(): string {
  const rank = () => Math.floor(Math.exp(Math.random() * Math.log(20_000)));
  return Array.from({ length: 20 }, () => wordAt(rank())).join(" ");
}

function message(conversation: number) {
  const i = conversation % CONVERSATIONS;
  return {
    kind: "message",
    conversationId: conversationOf(i),
    actor: { ...SYSTEM, userId: contactOf(i), userName: "Visitor", role: "visitor" },
    content: text(),
    clientMessageId: `m${++sent}`,
    isPrivate: false,
  } as const;
}

/**
 * A month with one round per day, followed by housekeeping. @returns milliseconds of each vacuum
 */
async function traffic({ db, writer }: AgedDatabase): Promise<number[]> {
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (let stored = 0; stored < MESSAGES / ROUNDS; stored += BATCH) {
      const batch = await Promise.all(
        Array.from(
          { length: BATCH },
          () => writer.write(message(Math.random() * CONVERSATIONS | 0)),
        ),
      );
      await Promise.all(
        batch.slice(0, BATCH / 2).map(({ message: one }, i) => {
          const actor = { ...SYSTEM, userId: one!.sender_id, userName: "Visitor" };
          const about = { conversationId: one!.conversation_id, messageId: one!.id, actor };
          return writer.write(
            i % 2 === 0
              ? { kind: "edit", ...about, content: text(), formatted: null }
              : { kind: "delete", ...about },
          );
        }),
      );
      await sql`select index_messages(50)`.execute(db);
    }
    await indexAll(db);
    for (let task; (task = await nextTask(db)) !== null;) {
      const start = performance.now();
      await runTask(db, task);
      took.push(performance.now() - start);
    }
    console.error(`day ${round + 1} of ${ROUNDS}`);
  }
  return took;
}

/** Runs the indexer until nothing is left. */
async function indexAll(db: Db): Promise<void> {
  for (let indexed = 1; indexed > 0;) {
    const { rows: [row] } = await sql<{ indexed: number }>`select index_messages(50) as indexed`
      .execute(db);
    indexed = row!.indexed;
  }
}

/** The same rows in another folder, as from a backup. */
async function copyRows(from: string): Promise<string> {
  const to = await makeDataDir();
  const source = await PGlite.create(`${from}/postgres`);
  const target = await PGlite.create(`${to}/postgres`);
  await target.exec("set session_replication_role = replica");
  for (const name of TABLES) {
    const { blob } = await source.query(`copy ${name} to '/dev/blob'`);
    await target.query(`copy ${name} from '/dev/blob'`, [], { blob: blob! });
  }
  await target.exec("reset session_replication_role");
  await target.exec("vacuum analyze");
  await source.close();
  await target.close();
  return to;
}

async function find(db: Db, word: string): Promise<unknown> {
  return await sql`select m.id from find_messages(${word},
      'ffffffff-ffff-ffff-ffff-ffffffffffff', 20) f(id) join chat_messages m on m.id = f.id`
    .execute(db);
}
