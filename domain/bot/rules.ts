/** Storage of context rules, which engine.ts evaluates. */
import { sql } from "kysely";
import type { z } from "zod";
import type { Db } from "../../db/database.ts";
import type { ContextRuleRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { type ContextRule, RuleAction, RuleCondition } from "../../protocol/model.ts";
import {
  type CreateContextRuleBody,
  MAX_RULES,
  type UpdateContextRuleBody,
} from "../../protocol/rules.ts";
import type { EventBus } from "../events.ts";

/**
 * psql or a later version may have written anything: what is no list is an empty one, and entries that
 * cannot be read have the kind "unknown", which never does anything.
 */
function list<T>(schema: z.ZodType<T>, value: unknown): T[] {
  const unknown = { kind: "unknown" } as T;
  return (Array.isArray(value) ? value : []).map((one) => schema.safeParse(one).data ?? unknown);
}

export function toRule(row: ContextRuleRow): ContextRule {
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    enabled: row.enabled,
    position: row.position,
    conditions: list(RuleCondition, row.conditions),
    actions: list(RuleAction, row.actions),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** All rules in the order in which they are tried. */
export async function listRules(db: Db): Promise<ContextRule[]> {
  const rows = await db.selectFrom("context_rules").selectAll().orderBy("position").orderBy("id")
    .execute();
  return rows.map(toRule);
}

/** @throws {ParleyError} `not_found` */
export async function findRule(db: Db, id: string): Promise<ContextRule> {
  const row = await db.selectFrom("context_rules").selectAll().where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw notFound(id);
  return toRule(row);
}

/**
 * Adds a rule, as the last one.
 *
 * @throws {ParleyError} `conflict` when there are as many as there may be.
 */
export async function createRule(
  db: Db,
  bus: EventBus,
  userId: string | null,
  rule: CreateContextRuleBody,
): Promise<ContextRule> {
  const row = await db.transaction().execute(async (trx) => {
    const known = await lockOrder(trx);
    if (known.length >= MAX_RULES) {
      throw new ParleyError("conflict", `Cannot add a rule: there are ${known.length} already`);
    }
    return await trx.insertInto("context_rules").values({
      id: uuidv7(),
      user_id: userId,
      name: rule.name,
      enabled: rule.enabled ?? true,
      position: (known.at(-1)?.position ?? 0) + 1,
      conditions: JSON.stringify(rule.conditions),
      actions: JSON.stringify(rule.actions),
    }).returningAll().executeTakeFirstOrThrow();
  });
  bus.emit("rules.changed", {});
  return toRule(row);
}

/**
 * Changes a rule. Its `updatedAt` grows with every change except of the order, so it identifies the
 * version.
 *
 * @param check called with the locked record; throws to refuse the change.
 * @throws {ParleyError} `not_found`
 */
export async function updateRule(
  db: Db,
  bus: EventBus,
  id: string,
  changes: UpdateContextRuleBody,
  check: (current: ContextRule) => void = () => {},
): Promise<ContextRule> {
  const row = await db.transaction().execute(async (trx) => {
    const current = await trx.selectFrom("context_rules").selectAll().where("id", "=", id)
      .forUpdate().executeTakeFirst();
    if (current === undefined) throw notFound(id);
    check(toRule(current));
    const { name, enabled, conditions, actions } = changes;
    return await trx.updateTable("context_rules").set({
      ...(name === undefined ? {} : { name }),
      ...(enabled === undefined ? {} : { enabled }),
      ...(conditions === undefined ? {} : { conditions: JSON.stringify(conditions) }),
      ...(actions === undefined ? {} : { actions: JSON.stringify(actions) }),
      updated_at: new Date(Math.max(Date.now(), current.updated_at.getTime() + 1)),
    }).where("id", "=", id).returningAll().executeTakeFirstOrThrow();
  });
  bus.emit("rules.changed", {});
  return toRule(row);
}

/**
 * Orders the rules; those that are not named follow in their old order.
 *
 * @throws {ParleyError} `conflict` where one of them does not exist.
 */
export async function orderRules(
  db: Db,
  bus: EventBus,
  ids: readonly string[],
): Promise<ContextRule[]> {
  await db.transaction().execute(async (trx) => {
    const known = await lockOrder(trx);
    const missing = ids.find((id) => !known.some((rule) => rule.id === id));
    if (missing !== undefined) {
      throw new ParleyError("conflict", `Cannot order the rules: there is no rule "${missing}"`);
    }
    const rest = known.map(({ id }) => id).filter((id) => !ids.includes(id));
    const order = [...ids, ...rest].map((id, index) => ({ id, position: index + 1 }));
    // Only rows that move: each is a change that is sent to all followers.
    await sql`
      update context_rules r set position = o.position
      from jsonb_to_recordset(${JSON.stringify(order)}::jsonb) as o(id uuid, position integer)
      where o.id = r.id and o.position <> r.position`.execute(trx);
  });
  bus.emit("rules.changed", {});
  return await listRules(db);
}

/** @throws {ParleyError} `not_found` */
export async function deleteRule(
  db: Db,
  bus: EventBus,
  id: string,
  check: (current: ContextRule) => void = () => {},
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const current = await trx.selectFrom("context_rules").selectAll().where("id", "=", id)
      .forUpdate().executeTakeFirst();
    if (current === undefined) throw notFound(id);
    check(toRule(current));
    await trx.deleteFrom("context_rules").where("id", "=", id).execute();
  });
  bus.emit("rules.changed", {});
}

/** Changes of the order and of the number of rules are made one at a time, under this lock. */
async function lockOrder(trx: Db) {
  await sql`select pg_advisory_xact_lock(${LOCK_KEY})`.execute(trx);
  return await trx.selectFrom("context_rules").select(["id", "position"])
    .orderBy("position").orderBy("id").execute();
}

/** "rule" in ASCII. */
const LOCK_KEY = 0x72756c65;

function notFound(id: string): ParleyError {
  return new ParleyError("not_found", `Cannot find the rule "${id}"`);
}
