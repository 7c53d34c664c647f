import assert from "node:assert/strict";
import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect, sql } from "kysely";
import { migrate } from "./migrate.ts";
import type { Database } from "./types.ts";
import * as m019 from "./migrations/019_sign_ins.ts";

Deno.test("who is signed in stays so over the upgrade, and older nodes go on beside newer ones", async () => {
  const pglite = await PGlite.create();
  const db = new Kysely<Database>({ dialect: new PGliteDialect({ pglite }) });
  try {
    await migrate(db);
    // As it was before.
    await sql`drop trigger follow_refresh_tokens on refresh_tokens`.execute(db);
    await sql`drop function follow_refresh_tokens`.execute(db);
    await sql`alter table refresh_tokens drop column parent_id,
      drop constraint refresh_tokens_sign_in`.execute(db);
    await sql`drop table sign_ins`.execute(db);
    const user = crypto.randomUUID();
    await sql`insert into users (id, email, name, password_hash, role)
      values (${user}, 'ada@example.com', 'Ada', 'x', 'admin')`.execute(db);
    const token = (family: string, hash: string, state: string) =>
      sql`insert into refresh_tokens
        (id, user_id, family_id, token_hash, user_agent, expires_at, used_at, revoked_at)
        values (gen_random_uuid(), ${user}, ${family}, ${hash}, ${hash},
          ${state === "expired" ? "2001-01-01" : "2999-01-01"},
          ${state === "used" ? "2026-01-01" : null},
          ${state === "revoked" ? "2026-01-01" : null})`.execute(db);
    const [alive, ended, expired, later] = Array.from({ length: 4 }, () => crypto.randomUUID());
    await token(alive!, "one", "used");
    await token(alive!, "two", "good");
    await token(ended!, "three", "revoked");
    await token(expired!, "four", "expired");

    await m019.up(db as unknown as Kysely<unknown>);
    const signIns = () => db.selectFrom("sign_ins").selectAll().orderBy("created_at").execute();
    assert.deepEqual((await signIns()).map(({ id, ended_at }) => [id, ended_at]), [[alive, null]]);
    const kept = await db.selectFrom("refresh_tokens").select("token_hash").orderBy("token_hash")
      .execute();
    assert.deepEqual(kept.map((row) => row.token_hash), ["one", "two"]);

    // What an older node does.
    await token(later!, "five", "good");
    assert.equal((await signIns()).length, 2);
    await sql`update refresh_tokens set revoked_at = now() where family_id = ${later}`.execute(db);
    const [first, second] = await signIns();
    assert.equal(first!.ended_at, null);
    assert.ok(second!.ended_at !== null);
  } finally {
    await db.destroy();
  }
});
