import assert from "node:assert/strict";
import { PGlite } from "@electric-sql/pglite";
import fc from "fast-check";
import pg from "pg";
import { POSTGRES_URL, testWith } from "../tests/support/services.ts";
import { type CompositeValue, toComposites } from "./composites.ts";

const TYPE = "create type pg_temp.sample as (t text, n bigint, b boolean, at timestamptz, u text)";
const READ = `select t, n, b, at, u
  from unnest($1::pg_temp.sample[]) with ordinality as s(t, n, b, at, u, i) order by i`;

const text = fc.string({ unit: "grapheme" }).map((one) => one.replaceAll("\0", ""))
  .map((one) => one.toWellFormed());
const ROWS = fc.array(fc.tuple(
  fc.oneof(
    text,
    fc.constantFrom("", "null", '"', "\\", "\\\\", '\\"', "{}", "(a,b)", " ", "\n", "'"),
  ),
  fc.oneof(fc.maxSafeInteger(), fc.constant(null)),
  fc.oneof(fc.boolean(), fc.constant(null)),
  fc.oneof(
    fc.date({ min: new Date("1900-01-01"), max: new Date("2200-01-01"), noInvalidDate: true }),
    fc.constant(null),
  ),
  fc.oneof(text, fc.constant(null)),
));

/** What the database reads is what was given, whatever characters are in it. */
async function check(
  read: (parameter: string) => Promise<Record<string, unknown>[]>,
): Promise<void> {
  await fc.assert(fc.asyncProperty(ROWS, async (rows) => {
    const found = await read(toComposites(rows));
    const values = found.map(({ t, n, b, at, u }): CompositeValue[] => [
      t as string,
      n === null ? null : Number(n),
      b as boolean | null,
      at as Date | null,
      u as string | null,
    ]);
    assert.deepEqual(values, rows.map((row) => [...row]));
  }));
}

Deno.test("toComposites() is read as it was written [pglite]", async () => {
  const db = await PGlite.create();
  try {
    await db.exec(TYPE);
    await check(async (parameter) =>
      (await db.query<Record<string, unknown>>(READ, [parameter])).rows
    );
  } finally {
    await db.close();
  }
});

testWith(["postgres"], "toComposites() is read as it was written [postgres]", async () => {
  const client = new pg.Client({ connectionString: POSTGRES_URL });
  await client.connect();
  try {
    await client.query(TYPE);
    await check(async (parameter) => (await client.query(READ, [parameter])).rows);
  } finally {
    await client.end();
  }
});
