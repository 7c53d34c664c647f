/** A change as its readers see it: their columns of the rows that they may see. */
import type { Change, ChangedRow } from "../../db/change_feed.ts";
import type { ChangeEvent, TableName, TableRow } from "../../protocol/tables.ts";
import type { Readers } from "./readers.ts";
import { CATALOGUE, ownersOf, type Policy } from "./catalogue.ts";

export interface SeenChange {
  event: ChangeEvent;
  data: TableRow;
  new: TableRow | null;
  old: TableRow | null;
}

/**
 * The change as this readers sees the table: a row that comes into its sight is an INSERT, one
 * that leaves it a DELETE. null where nothing that it may see has changed.
 */
export function seenBy(change: Change, readers: Readers): SeenChange | null {
  const { policy } = readers;
  const before = isSeen(change, change.old, readers) ? rowOf(change, "old", policy) : null;
  const after = isSeen(change, change.new, readers) ? rowOf(change, "new", policy) : null;
  if (before === null) {
    return after === null ? null : { event: "INSERT", data: after, new: after, old: null };
  }
  if (after === null) return { event: "DELETE", data: before, new: null, old: before };
  if (hidesColumns(change, policy) && same(before, after)) return null;
  return { event: "UPDATE", data: after, new: after, old: before };
}

function isSeen(change: Change, row: ChangedRow | null, { policy, owners }: Readers): boolean {
  if (row === null || policy.only?.(row) === false) return false;
  if (owners === null) return true;
  return ownersOf(change.table as TableName, row).some((owner) => owners.includes(owner));
}

function hidesColumns(change: Change, policy: Policy): boolean {
  return policy.columns.length < Object.keys(CATALOGUE[change.table as TableName].columns).length;
}

function same(one: TableRow, other: TableRow): boolean {
  return Object.keys(one).every((column) =>
    one[column] === other[column] || JSON.stringify(one[column]) === JSON.stringify(other[column])
  );
}

/** Visible rows, which many readers share. */
const rows = new WeakMap<ChangedRow, Map<Policy, TableRow>>();

function rowOf(change: Change, side: "old" | "new", policy: Policy): TableRow {
  const row = change[side]!;
  let views = rows.get(row);
  if (views === undefined) rows.set(row, views = new Map());
  let view = views.get(policy);
  if (view === undefined) {
    view = pick(change.table as TableName, row, policy);
    const deleted = deletedText(change);
    if (deleted !== null && Object.hasOwn(view, deleted)) view[deleted] = "";
    views.set(policy, view);
  }
  return view;
}

/** The column whose text a change has deleted; the old row must not show it either. */
function deletedText({ table, old, new: after }: Change): string | null {
  if (after === null) return null;
  if (table === "chat_messages") return (after["deleted_at"] ?? null) === null ? null : "content";
  // Only the preview of a deleted message is empty.
  const preview = "last_message_preview";
  const same = old !== null && old["last_message_seq"] === after["last_message_seq"];
  return table === "conversations" && same && after[preview] === "" ? preview : null;
}

function pick(table: TableName, row: ChangedRow, policy: Policy): TableRow {
  const { columns } = CATALOGUE[table];
  const view: TableRow = {};
  for (const column of policy.columns) {
    const value = row[column] ?? null;
    view[column] = columns[column] === "time" ? toIso(value) : value;
  }
  return view;
}

/** In UTC, whatever time zone the connection had that made the change. */
function toIso(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? value : time.toISOString();
}
