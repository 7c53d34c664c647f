import type { Db } from "../../db/database.ts";
import { lockStart } from "../../db/migrate.ts";
import type { WidgetRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { WidgetAppearance, WidgetConfig } from "../../protocol/model.ts";
import type { EventBus } from "../events.ts";
import { newSecret } from "../secrets.ts";

export const DEFAULT_APPEARANCE: WidgetAppearance = {
  title: "Chat with us",
  greeting: "Hello! Ask us anything, we usually answer within a few minutes.",
  accent: "#4f46e5",
  position: "right",
  launcherLabel: "Chat",
  placeholder: "Write a message",
};

/** The stored values, and defaults for the rest. */
export function fullAppearance(stored: Record<string, unknown>): WidgetAppearance {
  return { ...DEFAULT_APPEARANCE, ...stored };
}

export function toWidget(row: WidgetRow): WidgetConfig {
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    widgetKey: row.widget_key,
    allowedOrigins: row.allowed_origins,
    enabled: row.enabled,
    appearance: fullAppearance(row.appearance),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

export async function listWidgets(db: Db): Promise<WidgetConfig[]> {
  const rows = await db.selectFrom("widget_configs").selectAll().orderBy("created_at")
    .orderBy("id").execute();
  return rows.map(toWidget);
}

export async function findWidget(db: Db, id: string): Promise<WidgetConfig> {
  const row = await db.selectFrom("widget_configs").selectAll().where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw new ParleyError("not_found", `Cannot find the widget "${id}"`);
  return toWidget(row);
}

/** @throws {ParleyError} `not_found` for a key that does not exist, or of a disabled widget. */
export async function findWidgetByKey(db: Db, widgetKey: string): Promise<WidgetConfig> {
  const row = await db.selectFrom("widget_configs").selectAll()
    .where("widget_key", "=", widgetKey).where("enabled", "=", true).executeTakeFirst();
  if (row === undefined) {
    throw new ParleyError("not_found", `Cannot find an enabled widget with key "${widgetKey}"`);
  }
  return toWidget(row);
}

export interface WidgetChanges {
  name?: string | undefined;
  allowedOrigins?: string[] | undefined;
  enabled?: boolean | undefined;
  appearance?: Partial<WidgetAppearance> | undefined;
}

export async function createWidget(
  db: Db,
  userId: string | null,
  widget: WidgetChanges & { name: string },
): Promise<WidgetConfig> {
  const row = await db.insertInto("widget_configs").values({
    id: uuidv7(),
    user_id: userId,
    name: widget.name,
    widget_key: `wk_${newSecret(15)}`,
    secret: newSecret(),
    allowed_origins: widget.allowedOrigins ?? [],
    enabled: widget.enabled ?? true,
    appearance: JSON.stringify(widget.appearance ?? {}),
  }).returningAll().executeTakeFirstOrThrow();
  return toWidget(row);
}

/**
 * Changes a widget. Its `updatedAt` grows with every change, so it identifies the version.
 *
 * @param check called with the locked record; throws to refuse the change.
 * @throws {ParleyError} `not_found`
 */
export async function updateWidget(
  db: Db,
  bus: EventBus,
  id: string,
  changes: WidgetChanges,
  check: (current: WidgetConfig) => void = () => {},
): Promise<WidgetConfig> {
  const widget = await db.transaction().execute(async (trx) => {
    const row = await trx.selectFrom("widget_configs").selectAll().where("id", "=", id)
      .forUpdate().executeTakeFirst();
    if (row === undefined) throw new ParleyError("not_found", `Cannot find the widget "${id}"`);
    const current = toWidget(row);
    check(current);
    return toWidget(
      await trx.updateTable("widget_configs").set({
        name: changes.name ?? current.name,
        allowed_origins: changes.allowedOrigins ?? current.allowedOrigins,
        enabled: changes.enabled ?? current.enabled,
        appearance: JSON.stringify({ ...current.appearance, ...changes.appearance }),
        updated_at: new Date(Math.max(Date.now(), row.updated_at.getTime() + 1)),
      }).where("id", "=", id).returningAll().executeTakeFirstOrThrow(),
    );
  });
  const { enabled, allowedOrigins, appearance } = widget;
  bus.emit("widget.updated", { widgetId: id, enabled, allowedOrigins, appearance });
  return widget;
}

/** @returns its name. @throws {ParleyError} `not_found` */
export async function deleteWidget(db: Db, bus: EventBus, id: string): Promise<string> {
  const gone = await db.deleteFrom("widget_configs").where("id", "=", id)
    .returning(["appearance", "name"]).executeTakeFirst();
  if (gone === undefined) throw new ParleyError("not_found", `Cannot find the widget "${id}"`);
  const appearance = fullAppearance(gone.appearance);
  bus.emit("widget.updated", { widgetId: id, enabled: false, allowedOrigins: [], appearance });
  return gone.name;
}

/** A first widget, so that a new installation can be tried at once. */
export async function ensureFirstWidget(db: Db): Promise<void> {
  const isThere = async (from: Db) =>
    await from.selectFrom("widget_configs").select("id").limit(1).executeTakeFirst() !== undefined;
  if (await isThere(db)) return;
  await db.transaction().execute(async (trx) => {
    // Of several processes that start at once, one creates it.
    await lockStart(trx);
    if (await isThere(trx)) return;
    const admin = await trx.selectFrom("users").select("id").where("role", "=", "admin")
      .where("disabled_at", "is", null).orderBy("created_at").orderBy("id").limit(1)
      .executeTakeFirst();
    await createWidget(trx, admin?.id ?? null, { name: "Website" });
  });
}
