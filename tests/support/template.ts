/** Databases with the newest schema, made once and copied: making one takes seconds, a copy does not. */
import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect, PostgresDialect } from "kysely";
import pg from "pg";
import { migrate } from "../../db/migrate.ts";
import type { Database } from "../../db/types.ts";
import { copyTree, walkFiles } from "../../tools/files.ts";
import { POSTGRES_URL } from "./services.ts";
import { makeTempDir } from "./temp_dir.ts";

const BUILD = new URL("../../.build/", import.meta.url).pathname;
const MIGRATIONS = new URL("../../db/", import.meta.url).pathname;

/** Of how a template is made. */
const VERSION = 2;

/** Another one for each state of the schema. */
async function templateName(): Promise<string> {
  const parts: string[] = [];
  for await (const path of walkFiles([MIGRATIONS])) {
    parts.push(path.slice(MIGRATIONS.length), await Deno.readTextFile(path));
  }
  const bytes = new TextEncoder().encode(parts.sort().join("\n"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  return `test_template_${VERSION}_${digest.slice(0, 16)}`;
}

/** Drops the databases that are there to make others from: half of what there is to copy. */
async function dropOthers(pglite: PGlite): Promise<void> {
  const others = "from pg_database where datname <> current_database()";
  const { rows } = await pglite.query<{ datname: string }>(`select datname ${others}`);
  await pglite.exec(
    "update pg_database set datistemplate = false where datname <> current_database()",
  );
  for (const { datname } of rows) await pglite.exec(`drop database ${datname}`);
}

async function makeTemplate(path: string): Promise<void> {
  const own = `${path}.${crypto.randomUUID()}`;
  await Deno.mkdir(own, { recursive: true });
  const pglite = await PGlite.create(`${own}/postgres`);
  await migrate(new Kysely<Database>({ dialect: new PGliteDialect({ pglite }) }));
  await dropOthers(pglite);
  await pglite.close();
  try {
    await Deno.rename(own, path);
  } catch {
    // Another test was first.
    await Deno.remove(own, { recursive: true });
  }
}

let name: Promise<string> | null = null;
/** Not before a test asks: what is begun between tests looks like a leak in the next one. */
const template = () => name ??= templateName();

/** A data folder with an empty database in it. */
export async function makeDataDir(): Promise<string> {
  const from = BUILD + await template();
  if ((await Deno.stat(from).catch(() => null)) === null) await makeTemplate(from);
  const path = await makeTempDir();
  copyTree(from, path);
  return path;
}

/** Of the lock under which one test process makes the template. */
const LOCK_KEY = 0x74657374;

/** How many templates stay: of branches with other migrations, whose tests may be running. */
const KEEP_TEMPLATES = 8;

/** The template on the Postgres server; old ones, of other states of the schema, are dropped. */
async function makeServerTemplate(): Promise<string> {
  const name = `parley_${await template()}`;
  const client = new pg.Client({ connectionString: POSTGRES_URL });
  await client.connect();
  try {
    await client.query(`select pg_advisory_lock(${LOCK_KEY})`);
    const { rows } = await client.query(
      "select datname from pg_database where datname like 'parley\\_test\\_template\\_%' order by oid",
    );
    const known: string[] = rows.map(({ datname }) => datname);
    if (known.includes(name)) return name;
    const old = known.slice(0, Math.max(0, known.length - KEEP_TEMPLATES));
    for (const other of old) await client.query(`drop database if exists ${other} with (force)`);
    const own = `${name}_making`;
    await client.query(`create database ${own}`);
    const url = new URL(POSTGRES_URL);
    url.pathname = `/${own}`;
    const pool = new pg.Pool({ connectionString: url.href, max: 1 });
    const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
    await migrate(db);
    await db.destroy();
    await client.query(`alter database ${own} rename to ${name}`);
    return name;
  } finally {
    await client.end();
  }
}

let serverTemplate: Promise<string> | null = null;

/** SQLSTATE of a database that is not there. */
const NO_DATABASE = "3D000";

/** Makes a database of the Postgres server: empty, with the newest schema. */
export async function copyServerTemplate(name: string): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      serverTemplate ??= makeServerTemplate();
      await onServer(`create database ${name} template ${await serverTemplate}`);
      return;
    } catch (error) {
      // The tests of another state of the schema, which somebody runs beside these, dropped it.
      const isGone = (error as { code?: unknown } | null)?.code === NO_DATABASE;
      if (!isGone || tries === 3) throw error;
      serverTemplate = null;
    }
  }
}

/** One statement on the server that tests make their databases on. */
export async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: POSTGRES_URL });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
