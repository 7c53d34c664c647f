/** Schemas that were released, versions that are newer, and work that takes long. */
import assert from "node:assert/strict";
import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect, PostgresDialect, sql } from "kysely";
import pg from "pg";
import {
  migrate,
  type Migration,
  MIGRATIONS,
  pendingMigrations,
  SchemaError,
} from "../db/migrate.ts";
import { buildIndex, inBatches } from "../db/steps.ts";
import type { Database } from "../db/types.ts";
import { createPasswords } from "../domain/agents/passwords.ts";
import { call, login } from "./support/http.ts";
import { runToEnd, startWaiting } from "./support/process.ts";
import { ADMIN, type EngineName, startServer } from "./support/server.ts";
import { POSTGRES_URL, testWith } from "./support/services.ts";
import { makeTempDir } from "./support/temp_dir.ts";
import { onServer } from "./support/template.ts";

type Db = Kysely<Database>;

/** The last migration of each release, which is its schema. */
const RELEASED = { "0.1.0": "014_unread_sums" };
const upTo = (name: string) =>
  MIGRATIONS.slice(0, MIGRATIONS.findIndex((migration) => migration.name === name) + 1);

async function withEmpty(
  engine: EngineName,
  fn: (db: Db, env: Record<string, string>, free: () => Promise<void>) => Promise<void>,
): Promise<void> {
  if (engine === "pglite") {
    const dataDir = await makeTempDir();
    const pglite = await PGlite.create(`${dataDir}/postgres`);
    const db = new Kysely<Database>({ dialect: new PGliteDialect({ pglite }) });
    const free = () => db.destroy();
    try {
      await fn(db, { DATA_DIR: dataDir }, free);
    } finally {
      await free();
      await Deno.remove(dataDir, { recursive: true });
    }
    return;
  }
  const name = `parley_test_${crypto.randomUUID().replaceAll("-", "")}`;
  await onServer(`create database ${name}`);
  const url = new URL(POSTGRES_URL);
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 4 });
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  try {
    await fn(db, { DATABASE_URL: url.href }, () => Promise.resolve());
  } finally {
    await db.destroy();
    await onServer(`drop database if exists ${name} with (force)`);
  }
}

const ID = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`;

/** Rows as version 0.1.0 wrote them. */
async function fill(db: Db): Promise<void> {
  const password = await createPasswords({ atOnce: 1, waiting: 1 }).hash(ADMIN.password);
  const statements = [
    sql`insert into users (id, email, name, password_hash, role)
      values (${ID(1)}, ${ADMIN.email}, 'Ada', ${password}, 'admin')`,
    sql`insert into widget_configs (id, user_id, name, widget_key, secret)
      values (${ID(2)}, ${ID(1)}, 'Website', 'wk_old', 'a secret')`,
    sql`insert into contacts (id, name) select ('00000000-0000-7000-8000-' ||
        lpad((1000 + n)::text, 12, '0'))::uuid, 'Visitor ' || n from generate_series(1, 50) n`,
    sql`insert into contact_identities (id, contact_id, platform, external_id)
      select gen_random_uuid(), id, 'web', id::text from contacts`,
    sql`insert into chat_sessions (id, session_id, widget_id, contact_id, expires_at)
      select gen_random_uuid(), 'hash of ' || id, ${ID(2)}, id, now() + interval '1 day'
      from contacts`,
    sql`insert into conversations (id, contact_id, last_seq, inbound_count, last_message_seq,
        last_message_preview, last_message_role, last_message_at, waiting_since)
      select id, id, 20, 20, 20, 'message 20', 'visitor', now(), now() from contacts`,
    sql`insert into chat_messages (id, conversation_id, seq, client_message_id, sender_id,
        sender_role, sender_name, type, content, platform, inbound_count, outbound_count, created_at)
      select gen_random_uuid(), c.id, n, 'm' || n, c.id::text, 'visitor', c.name, 'text',
        'message ' || n, 'web', n, 0, now() from conversations v join contacts c using (id),
        generate_series(1, 20) n`,
    sql`insert into conversation_events (conversation_id, seq, type, message_id, created_at)
      select conversation_id, seq, 'message', id, created_at from chat_messages`,
  ];
  for (const statement of statements) await statement.execute(db);
}

/** One message as a node of version 0.1.0 stores it. */
async function writeAsBefore(db: Db, n: number): Promise<void> {
  const id = ID(1001 + n % 50);
  await db.transaction().execute(async (trx) => {
    await sql`update conversations set last_seq = last_seq + 1, inbound_count = inbound_count + 1,
      last_message_at = now(), updated_at = now() where id = ${id}`.execute(trx);
    await sql`insert into chat_messages (id, conversation_id, seq, client_message_id, sender_id,
        sender_role, sender_name, type, content, platform, inbound_count, outbound_count, created_at)
      select gen_random_uuid(), id, last_seq, ${`late${n}`}, id::text, 'visitor', 'Visitor', 'text',
        'written meanwhile', 'web', inbound_count, 0, now() from conversations where id = ${id}`
      .execute(trx);
    await sql`insert into conversation_events (conversation_id, seq, type, message_id, created_at)
      select conversation_id, seq, 'message', id, created_at from chat_messages
      where conversation_id = ${id} and client_message_id = ${`late${n}`}`.execute(trx);
  });
}

for (const engine of ["pglite", "postgres"] as const) {
  for (const [version, last] of Object.entries(RELEASED)) {
    const name = `a database of version ${version} is brought up to date while it serves`;
    testWith(engine === "postgres" ? ["postgres"] : [], `${name} [${engine}]`, async () => {
      await withEmpty(engine, async (db, env, free) => {
        await migrate(db, { migrations: upTo(last) });
        await sql`alter table schema_migrations drop column runs_with`.execute(db);
        await fill(db);
        // A node of that version goes on writing until after the migration.
        let over = false;
        let written = 0;
        const writing = engine === "pglite" ? Promise.resolve() : (async () => {
          while (!over) await writeAsBefore(db, written++);
        })();
        const ran = await migrate(db);
        over = true;
        await writing;
        await writeAsBefore(db, written++);
        assert.deepEqual(ran, MIGRATIONS.slice(upTo(last).length).map(({ name }) => name));
        assert.deepEqual(await migrate(db), []);
        const { rows } = await sql<{ n: number }>`select count(*)::int as n from chat_messages`
          .execute(db);
        assert.equal(rows[0]!.n, 1000 + written);
        await free();

        const server = await startServer("pglite", env);
        try {
          const { token } = await login(server);
          const at = `/api/conversations/${ID(1007)}/messages`;
          const { body } = await call<{ items: unknown[] }>(server, "GET", at, { token });
          assert.ok(body.items.length >= 20);
          const posted = await call(server, "POST", at, {
            token,
            body: { content: "We are back", clientMessageId: "new" },
          });
          assert.equal(posted.status, 201);
          assert.deepEqual(server.errors, []);
        } finally {
          await server.stop();
        }
      });
    });
  }
}

const base: Migration = {
  name: "001_base",
  async up(db) {
    await sql`create table things (id integer primary key, word text)`.execute(db);
    await sql`insert into things select n, null from generate_series(1, 25) n`.execute(db);
  },
};

testWith(["postgres"], "steps go on where they were cut, once, while others write", async () => {
  await withEmpty("postgres", async (db) => {
    await migrate(db, { migrations: [base] });
    const calls: string[] = [];
    let broken = true;
    let writes = 0;
    const stepped: Migration = {
      name: "002_stepped",
      async up(db) {
        calls.push("up");
        await sql`alter table things add column length integer`.execute(db);
      },
      steps: [
        inBatches(async (db, limit) => {
          calls.push("batch");
          const { numAffectedRows } = await sql`update things set word = 'w' where id in
            (select id from things where word is null order by id limit ${sql.lit(limit)})`
            .execute(db);
          return Number(numAffectedRows);
        }, 10),
        async () => {
          calls.push("breaks");
          if (broken) throw new Error("cut");
          // A node of the version before stores something in the middle of it.
          await sql`insert into things (id, word) values (${100 + writes++}, 'x')`.execute(db);
        },
        buildIndex("things_word", "on things (word)"),
      ],
      runsWith: "001_base",
    };
    const migrations = [base, stepped, { name: "003_after", up: async () => {} }];
    await assert.rejects(migrate(db, { migrations }), /cut/);
    assert.deepEqual(calls, ["up", "batch", "batch", "batch", "breaks"]);
    assert.deepEqual(await pendingMigrations(db, migrations), ["002_stepped", "003_after"]);
    // Meanwhile the version before may start.
    assert.deepEqual(await migrate(db, { migrations: [base] }), []);

    broken = false;
    calls.length = 0;
    // What a build of the index that was cut leaves.
    await sql`create unique index concurrently things_word on things (word)`.execute(db)
      .then(() => assert.fail("it is not unique"), () => {});
    const ran = await Promise.all([1, 2, 3].map(() => migrate(db, { migrations })));
    assert.deepEqual(ran.flat().sort(), ["002_stepped", "003_after"]);
    assert.deepEqual([calls, writes], [["breaks"], 1]);
    const { rows } = await sql<{ valid: boolean; unique: boolean }>`select indisvalid as valid,
      indisunique as unique from pg_index where indexrelid = 'things_word'::regclass`.execute(db);
    assert.deepEqual(rows, [{ valid: true, unique: false }]);
    const left = await sql`select 1 from schema_progress`.execute(db);
    assert.equal(left.rows.length, 0);
  });
});

Deno.test("steps run on the embedded engine, and a newer schema says who may use it", async () => {
  const pglite = await PGlite.create();
  const db = new Kysely<Database>({ dialect: new PGliteDialect({ pglite }) });
  try {
    const stepped: Migration = {
      name: "002_stepped",
      steps: [buildIndex("things_word", "on things (word)")],
      runsWith: "001_base",
    };
    assert.deepEqual(await migrate(db, { migrations: [base, stepped] }), [
      "001_base",
      "002_stepped",
    ]);
    // A version that does not know 002 works with it; one that does not know 001 would not.
    assert.deepEqual(await migrate(db, { migrations: [base] }), []);
    await assert.rejects(migrate(db, { migrations: [] }), SchemaError);
    const breaking = { name: "003_breaking", up: async () => {} };
    await migrate(db, { migrations: [base, stepped, breaking] });
    await assert.rejects(
      migrate(db, { migrations: [base] }),
      new SchemaError(
        'Cannot use the database: its schema has "003_breaking" of a newer Parley, with which ' +
          "this version does not work (start that version, or restore a backup from before)",
      ),
    );
  } finally {
    await db.destroy();
  }
});

testWith(
  ["postgres"],
  "deno task migrate prepares a release that may not do so itself",
  async () => {
    await withEmpty("postgres", async (_db, env) => {
      const dataDir = await makeTempDir();
      const settings = { ...env, DATA_DIR: dataDir, MIGRATE_ON_START: "false" };
      const server = await startWaiting(settings);
      try {
        const ready = await call<{ missing: string[] }>(server, "GET", "/ready");
        assert.equal(ready.status, 503);
        assert.match(
          ready.body.missing[0]!,
          /^The database is not up to date: its schema lacks "001_conversations" and \d+ more \(run "deno task migrate"; MIGRATE_ON_START is false\)$/,
        );
        const first = await runToEnd(settings, "tools/migrate.ts");
        assert.equal(first.code, 0);
        assert.equal(first.stdout, MIGRATIONS.map(({ name }) => `Ran ${name}\n`).join(""));
        await server.ready();
        const again = await runToEnd(settings, "tools/migrate.ts");
        assert.deepEqual([again.code, again.stdout], [
          0,
          "The schema is up to date: nothing to do\n",
        ]);
      } finally {
        assert.equal((await server.kill("SIGTERM")).code, 0);
        await Deno.remove(dataDir, { recursive: true });
      }
    });
  },
);
