/** Scheduled jobs on both engines: on time, once, and in spite of errors, restarts and dead nodes. */
import assert from "node:assert/strict";
import { z } from "zod";
import { type Db, openDatabase } from "../db/database.ts";
import { createJobQueue, type JobQueue, type JobQueueOptions } from "../domain/jobs/queue.ts";
import { claimJobs, insertJob } from "../domain/jobs/storage.ts";
import { poll } from "./support/deadline.ts";
import { type EngineName, makeDatabase } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { makeTempDir } from "./support/temp_dir.ts";
import { makeDataDir } from "./support/template.ts";

const Payload = z.strictObject({ n: z.number() });

interface Ran {
  node: string;
  n: number;
  at: number;
  attempt: number;
}

async function withDatabase(engine: EngineName, fn: (db: Db) => Promise<void>): Promise<void> {
  const dataDir = engine === "pglite" ? await makeDataDir() : await makeTempDir();
  const server = engine === "postgres" ? await makeDatabase() : null;
  const database = await openDatabase({ url: server?.url, dataDir, pool: 4, migrate: false });
  try {
    await fn(database.db);
  } finally {
    await database.close();
    await server?.drop();
    await Deno.remove(dataDir, { recursive: true });
  }
}

const after = (ms: number) => new Date(Date.now() + ms);

for (const engine of ["pglite", "postgres"] as const) {
  testWith(
    engine === "postgres" ? ["postgres"] : [],
    `scheduled jobs [${engine}]`,
    (t) =>
      withDatabase(engine, async (db) => {
        const ran: Ran[] = [];
        const errors: unknown[] = [];
        const queues: JobQueue[] = [];
        function node(name: string, options: Partial<JobQueueOptions> = {}): JobQueue {
          const queue = createJobQueue({ db, onError: (error) => errors.push(error), ...options });
          queue.handle("count", {
            payload: Payload,
            async run({ n }, { attempt }) {
              await Promise.resolve();
              ran.push({ node: name, n, at: Date.now(), attempt });
              if (n === 400 && attempt < 3) throw new Error("not yet");
              if (n === 500) throw new Error("never");
            },
          });
          queue.start();
          queues.push(queue);
          return queue;
        }
        const rows = () => db.selectFrom("scheduled_jobs").selectAll().execute();
        const done = (what: string) => poll(rows, (left) => left.length === 0, what);

        const a = node("a", { retriesMs: [10, 10] });
        const b = node("b", { retriesMs: [10, 10] });

        await t.step("each runs once in a cluster, and not before its time", async () => {
          const at = after(200);
          for (let n = 0; n < 60; n++) await a.schedule({ kind: "count", payload: { n }, at });
          await done("60 jobs");
          assert.deepEqual(ran.map(({ n }) => n).sort((x, y) => x - y), [...Array(60).keys()]);
          assert.equal(ran.filter((run) => run.at < at.getTime() - 20).length, 0);
        });

        await t.step(
          "a job with the same key replaces the one before, and can be cancelled",
          async () => {
            ran.length = 0;
            const job = { kind: "count", key: "same" };
            await a.schedule({ ...job, payload: { n: 1 }, at: after(60_000) });
            await a.schedule({ ...job, payload: { n: 2 }, at: after(0) });
            await a.schedule({ kind: "count", key: "gone", payload: { n: 3 }, at: after(60_000) });
            assert.equal(await b.cancel("count", "gone"), true);
            assert.equal(await b.cancel("count", "gone"), false);
            await done("the second one");
            assert.deepEqual(ran.map(({ n }) => n), [2]);
          },
        );

        await t.step("a job belongs to the transaction that makes it", async () => {
          ran.length = 0;
          const store = (n: number, fails: boolean) =>
            db.transaction().execute(async (trx) => {
              await insertJob(trx, { kind: "count", payload: { n }, at: after(0) });
              if (fails) throw new Error("rolled back");
            });
          await assert.rejects(store(1, true), /rolled back/);
          await store(2, false);
          b.expect(new Date());
          await done("the stored one");
          assert.deepEqual(ran.map(({ n }) => n), [2]);
        });

        await t.step("errors are tried again, then the job is kept as failed", async () => {
          ran.length = 0;
          await a.schedule({ kind: "count", payload: { n: 400 }, at: after(0) });
          await done("the third attempt");
          assert.deepEqual(ran.map(({ attempt }) => attempt), [1, 2, 3]);
          assert.deepEqual(errors, []);
          ran.length = 0;
          await a.schedule({ kind: "count", payload: { n: 500 }, at: after(0) });
          await a.schedule({ kind: "count", payload: { n: "five" }, at: after(0) });
          const failed = await poll(
            rows,
            (left) => left.length === 2 && left.every((job) => job.failed_at !== null),
            "two failed jobs",
          );
          assert.deepEqual(ran.map(({ attempt }) => attempt), [1, 2, 3]);
          assert.equal(failed.filter(({ last_error }) => last_error === "never").length, 1);
          assert.equal(errors.length, 2);
          await db.deleteFrom("scheduled_jobs").execute();
        });

        await t.step(
          "a job survives a restart, and is left to nodes that know its kind",
          async () => {
            ran.length = 0;
            await a.schedule({ kind: "count", payload: { n: 7 }, at: after(500) });
            await insertJob(db, { kind: "newer", at: after(-1000) });
            await Promise.all([a.stop(), b.stop()]);
            assert.deepEqual(ran, []);
            node("c");
            await poll(rows, (left) => left.length === 1, "the job after the restart");
            assert.deepEqual(ran.map(({ node, n }) => ({ node, n })), [{ node: "c", n: 7 }]);
            await db.deleteFrom("scheduled_jobs").execute();
          },
        );

        await t.step("the job of a dead node is repeated when its lease ends", async () => {
          ran.length = 0;
          await insertJob(db, { kind: "count", payload: { n: 8 }, at: after(-1) });
          // As a node that dies right after it has taken the job.
          assert.equal((await claimJobs(db, ["count"], 1, 300)).length, 1);
          queues.at(-1)!.expect(after(0));
          await done("the repeated job");
          assert.deepEqual(ran.map(({ n, attempt }) => ({ n, attempt })), [{ n: 8, attempt: 2 }]);
        });
        await Promise.all(queues.map((queue) => queue.stop()));
      }),
  );
}
