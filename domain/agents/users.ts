import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { UserRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import type { AgentRole, User } from "../../protocol/model.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { type Actor, audit, SYSTEM } from "../audit.ts";
import type { EventBus } from "../events.ts";
import { needStrong } from "./password_strength.ts";
import { FEW_PASSWORDS, type Passwords } from "./passwords.ts";
import { auditEnded, endSignIns } from "./sign_in_storage.ts";

export function toUser(row: UserRow): User {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    role: row.role,
    createdAt: row.created_at.toISOString(),
    lastSeenAt: row.last_seen_at?.toISOString() ?? null,
    disabledAt: row.disabled_at?.toISOString() ?? null,
  };
}

/** Records that an agent was connected until now. */
export async function touchUser(db: Db, id: string): Promise<void> {
  await db.updateTable("users").set({ last_seen_at: new Date() }).where("id", "=", id).execute();
}

export interface NewUser {
  name: string;
  email: string;
  password: string;
  role: AgentRole;
}

export async function listUsers(db: Db): Promise<User[]> {
  const rows = await db.selectFrom("users").selectAll().orderBy("name").orderBy("id").execute();
  return rows.map(toUser);
}

export async function findUser(db: Db, id: string): Promise<User | null> {
  const row = await db.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined ? null : toUser(row);
}

/** In the order of the ids; null where there is none. */
export async function findUsers(db: Db, ids: string[]): Promise<(User | null)[]> {
  const rows = await db.selectFrom("users").selectAll()
    .where(sql<boolean>`id = any(${ids}::uuid[])`).execute();
  const byId = new Map(rows.map((row) => [row.id, toUser(row)]));
  return ids.map((id) => byId.get(id) ?? null);
}

/** Whether there is a user or a contact with this id. */
export async function personExists(db: Db, id: string): Promise<boolean> {
  const found = await db.selectFrom("users").select("id").where("id", "=", id)
    .unionAll(db.selectFrom("contacts").select("id").where("id", "=", id))
    .executeTakeFirst();
  return found !== undefined;
}

export async function countUsers(db: Db): Promise<number> {
  const row = await db.selectFrom("users").select((eb) => eb.fn.countAll<number>().as("n"))
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

async function insertUser(
  db: Db,
  user: NewUser,
  passwordHash: string,
  by: Actor,
): Promise<User | null> {
  const row = await db.insertInto("users").values({
    id: uuidv7(),
    email: user.email,
    name: user.name,
    password_hash: passwordHash,
    role: user.role,
  }).onConflict((oc) => oc.column("email").doNothing()).returningAll().executeTakeFirst();
  if (row === undefined) return null;
  await audit(db, by, {
    action: "user.created",
    subject: row,
    data: { email: row.email, role: row.role },
  });
  return toUser(row);
}

/** @throws {ParleyError} `conflict` when the address is taken. */
export async function createUser(
  db: Db,
  user: NewUser,
  passwords: Passwords = FEW_PASSWORDS,
  by: Actor = SYSTEM,
): Promise<User> {
  await needStrong(user.password, [user.name, user.email]);
  const hash = await passwords.hash(user.password);
  const created = await db.transaction().execute((trx) => insertUser(trx, user, hash, by));
  if (created === null) {
    throw new ParleyError("conflict", `Cannot create the user: "${user.email}" is taken`);
  }
  return created;
}

/**
 * The first admin, once. The table is locked, so of two requests at the same time one succeeds.
 *
 * @throws {ParleyError} `already_set_up` when there is a user.
 */
export async function createFirstAdmin(
  db: Db,
  user: Omit<NewUser, "role">,
  passwords: Passwords = FEW_PASSWORDS,
  from: Pick<Actor, "address" | "userAgent"> | null = null,
): Promise<User> {
  // Checked before the expensive part, and again under the lock.
  await refuseSetUp(db);
  await needStrong(user.password, [user.name, user.email]);
  const hash = await passwords.hash(user.password);
  return await db.transaction().execute(async (trx) => {
    await sql`lock table users in exclusive mode`.execute(trx);
    await refuseSetUp(trx);
    const by: Actor = from === null
      ? SYSTEM
      : { kind: "nobody", id: null, name: null, address: from.address, userAgent: from.userAgent };
    const admin = (await insertUser(trx, { ...user, role: "admin" }, hash, by))!;
    // The first widget was created before there was a user.
    await trx.updateTable("widget_configs").set({ user_id: admin.id })
      .where("user_id", "is", null).execute();
    return admin;
  });
}

async function refuseSetUp(db: Db): Promise<void> {
  const user = await db.selectFrom("users").select("id").limit(1).executeTakeFirst();
  if (user !== undefined) throw alreadySetUp();
}

export function alreadySetUp(): ParleyError {
  return new ParleyError("already_set_up", "Cannot set up: there is a user already");
}

/** @throws {ParleyError} `invalid` when it is missing, `invalid_credentials` when it is wrong. */
export async function checkPassword(
  db: Db,
  id: string,
  password: string | undefined,
  passwords: Passwords,
  by: Actor,
): Promise<void> {
  if (password === undefined) {
    throw new ParleyError("invalid", 'Cannot change the password: "currentPassword" is missing', {
      fields: [{ path: "currentPassword", message: "is needed to change your own password" }],
    });
  }
  const row = await db.selectFrom("users").select(["id", "name", "password_hash"])
    .where("id", "=", id).executeTakeFirst();
  if (row === undefined || !await passwords.verify(password, row.password_hash, true)) {
    await audit(db, by, {
      action: "user.password_refused",
      subject: { id, name: row?.name ?? null },
      result: "refused",
    });
    throw new ParleyError(
      "invalid_credentials",
      "Cannot change the password: the current password is wrong",
    );
  }
}

export interface UserChanges {
  name?: string | undefined;
  role?: AgentRole | undefined;
  password?: string | undefined;
  disabled?: boolean | undefined;
}

/**
 * Changes a user. A new password, or being disabled, ends every sign-in and connection.
 *
 * @throws {ParleyError} `not_found`; `conflict` when no enabled admin would remain.
 */
export async function updateUser(
  db: Db,
  bus: EventBus,
  by: Actor,
  id: string,
  changes: UserChanges,
  passwords: Passwords,
): Promise<User> {
  if (changes.password !== undefined) {
    const user = await findUser(db, id);
    if (user === null) throw new ParleyError("not_found", `Cannot find the user "${id}"`);
    await needStrong(changes.password, [user.name, user.email, changes.name ?? ""]);
  }
  const hash = changes.password === undefined ? undefined : await passwords.hash(changes.password);
  const ends = hash !== undefined || changes.disabled === true;
  const { user, ended } = await db.transaction().execute(async (trx) => {
    const admins = await trx.selectFrom("users").select("id")
      .where("role", "=", "admin").where("disabled_at", "is", null).forUpdate().execute();
    const losesAdmin = changes.disabled === true || changes.role === "agent";
    if (losesAdmin && admins.length === 1 && admins[0]!.id === id) {
      throw new ParleyError(
        "conflict",
        "Cannot change the user: the last admin has to stay an enabled admin",
      );
    }
    const before = await trx.selectFrom("users").selectAll().where("id", "=", id).forUpdate()
      .executeTakeFirst();
    if (before === undefined) throw new ParleyError("not_found", `Cannot find the user "${id}"`);
    const row = await trx.updateTable("users").set({
      ...(changes.name === undefined ? {} : { name: changes.name }),
      ...(changes.role === undefined ? {} : { role: changes.role }),
      ...(hash === undefined ? {} : { password_hash: hash }),
      ...(changes.disabled === undefined
        ? {}
        : { disabled_at: changes.disabled ? new Date() : null }),
      updated_at: new Date(),
    }).where("id", "=", id).returningAll().executeTakeFirstOrThrow();
    await auditChanges(trx, by, before, row);
    const reason = changes.disabled === true ? "disabled" : "password";
    const ended = ends ? await endSignIns(trx, { userId: id }, reason) : [];
    await auditEnded(trx, by, row, ended, reason);
    return { user: toUser(row), ended };
  });
  bus.emit("user.updated", { user });
  for (const signInId of ended) bus.emit("sign_in.ended", { signInId });
  if (ends) bus.emit("user.ended", { userId: id });
  return user;
}

async function auditChanges(db: Db, by: Actor, before: UserRow, after: UserRow): Promise<void> {
  const subject = after;
  const { name, role } = after;
  if (before.name !== name) {
    await audit(db, by, { action: "user.renamed", subject, data: { from: before.name, to: name } });
  }
  if (before.role !== role) {
    const data = { from: before.role, to: role };
    await audit(db, by, { action: "user.role_changed", subject, data });
  }
  if (before.password_hash !== after.password_hash) {
    await audit(db, by, { action: "user.password_changed", subject });
  }
  if ((before.disabled_at === null) !== (after.disabled_at === null)) {
    const action = after.disabled_at === null ? "user.enabled" : "user.disabled";
    await audit(db, by, { action, subject });
  }
}
