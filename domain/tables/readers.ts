import type { Db } from "../../db/database.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { TableName } from "../../protocol/tables.ts";
import type { Principal } from "../principal.ts";
import { CATALOGUE, type Policy } from "./catalogue.ts";

/** All who see the same rows of a table with the same columns. */
export interface Readers {
  /** Equal for principals who see the same; see `readersKey`. */
  key: string;
  policy: Policy;
  /** The owners whose rows they see, as in `ownersOf`; null: all rows. */
  owners: readonly string[] | null;
}

/** Identifies the readers; changes with the rights of the principal. null: may not follow the table. */
export function readersKey(principal: Principal, table: TableName): string | null {
  const policy = policyOf(principal, table);
  if (policy === null) return null;
  if (policy.rows === "all") return principal.kind;
  if (principal.kind === "agent") return `user:${principal.userId}`;
  const { userId, sessionHash, contexts } = principal;
  return JSON.stringify(contexts === undefined ? [userId, sessionHash] : contexts.toSorted());
}

/** @throws {ParleyError} `forbidden` where the principal may not follow the table. */
export async function readersOf(
  db: Db,
  principal: Principal,
  table: TableName,
): Promise<Readers> {
  const policy = policyOf(principal, table);
  const key = readersKey(principal, table);
  if (policy === null || key === null) {
    throw new ParleyError("forbidden", `Cannot subscribe to "${table}": only agents may`);
  }
  return { key, policy, owners: policy.rows === "all" ? null : await owned(db, principal) };
}

function policyOf(principal: Principal, table: TableName): Policy | null {
  const { agents, visitors } = CATALOGUE[table];
  return principal.kind === "agent" ? agents : visitors;
}

/** One query for a principal, who may follow several tables. */
const ownersByPrincipal = new WeakMap<Principal, Promise<string[]>>();

function owned(db: Db, principal: Principal): Promise<string[]> {
  let owners = ownersByPrincipal.get(principal);
  if (owners === undefined) {
    ownersByPrincipal.set(principal, owners = readOwned(db, principal));
    owners.catch(() => ownersByPrincipal.delete(principal));
  }
  return owners;
}

async function readOwned(db: Db, principal: Principal): Promise<string[]> {
  const { kind, userId } = principal;
  if (kind === "agent") return [`user:${userId}`];
  const { contexts, sessionHash } = principal;
  if (contexts !== undefined) {
    return contexts.flatMap((name) => [`context:${name}`, `conversation:${name}`]);
  }
  const session = sessionHash === null ? null : await sessionByHash(db, sessionHash);
  return [`contact:${userId}`, ...(session === null ? [] : [`session:${session}`])];
}

/** The public id of a session, from the hash of its visitor's secret. */
export async function sessionByHash(db: Db, hash: string): Promise<string | null> {
  const row = await db.selectFrom("chat_sessions").select("id").where("session_id", "=", hash)
    .executeTakeFirst();
  return row?.id ?? null;
}
