/** Storage of channels. Adapters know what their platform needs. */
import type { Db } from "../../db/database.ts";
import type { ChannelRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Channel, CreateChannelBody, UpdateChannelBody } from "../../protocol/workspace.ts";
import { cutPage, idOfCursor } from "../cursor.ts";

/** Platforms that this version can send to and receive from; the widget is not one of them. */
const ADAPTERS: ReadonlySet<string> = new Set();

function toChannel(row: ChannelRow): Channel {
  return {
    id: row.id,
    platform: row.platform,
    name: row.name,
    enabled: row.enabled,
    settings: row.settings,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** Newest first, by id. */
export async function listChannels(
  db: Db,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<{ items: Channel[]; nextCursor: string | null }> {
  const below = idOfCursor(cursor);
  const rows = await db.selectFrom("channels").selectAll()
    .$if(below !== undefined, (qb) => qb.where("id", "<", below!))
    .orderBy("id", "desc").limit(limit + 1).execute();
  const page = cutPage(rows, limit, ({ id }) => id);
  return { items: page.rows.map(toChannel), nextCursor: page.nextCursor };
}

/** @throws {ParleyError} `not_found` */
export async function findChannel(db: Db, id: string): Promise<Channel> {
  const row = await db.selectFrom("channels").selectAll().where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound(id);
  return toChannel(row);
}

/** @throws {ParleyError} `conflict` when it is to be enabled and its platform has no adapter. */
export async function createChannel(
  db: Db,
  { platform, name, enabled = false, settings = {} }: CreateChannelBody,
): Promise<Channel> {
  if (enabled) needAdapter(platform);
  const row = await db.insertInto("channels").values({
    id: uuidv7(),
    platform,
    name,
    enabled,
    settings: JSON.stringify(settings),
  }).returningAll().executeTakeFirstOrThrow();
  return toChannel(row);
}

/**
 * @param check gets it as it is, locked; what it throws refuses the change.
 * @throws {ParleyError} `not_found`; `conflict` when it is to be enabled and has no adapter.
 */
export async function updateChannel(
  db: Db,
  id: string,
  { name, enabled, settings }: UpdateChannelBody,
  check: (current: Channel) => void,
): Promise<Channel> {
  return await db.transaction().execute(async (trx) => {
    const current = await lock(trx, id);
    check(toChannel(current));
    if (enabled === true) needAdapter(current.platform);
    const row = await trx.updateTable("channels").set({
      ...(name === undefined ? {} : { name }),
      ...(enabled === undefined ? {} : { enabled }),
      ...(settings === undefined ? {} : { settings: JSON.stringify(settings) }),
      updated_at: new Date(Math.max(Date.now(), current.updated_at.getTime() + 1)),
    }).where("id", "=", id).returningAll().executeTakeFirstOrThrow();
    return toChannel(row);
  });
}

/** @throws {ParleyError} `not_found` */
export async function deleteChannel(
  db: Db,
  id: string,
  check: (current: Channel) => void,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    check(toChannel(await lock(trx, id)));
    await trx.deleteFrom("channels").where("id", "=", id).execute();
  });
}

async function lock(trx: Db, id: string): Promise<ChannelRow> {
  const row = await trx.selectFrom("channels").selectAll().where("id", "=", id).forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw notFound(id);
  return row;
}

function needAdapter(platform: string): void {
  if (ADAPTERS.has(platform)) return;
  throw new ParleyError(
    "conflict",
    `Cannot enable the channel: this version has no adapter for "${platform}"`,
  );
}

function notFound(id: string): ParleyError {
  return new ParleyError("not_found", `Cannot find the channel "${id}"`);
}
