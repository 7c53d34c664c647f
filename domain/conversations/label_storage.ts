/** The labels of conversations within a transaction of the writer. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { ConversationLabel } from "../../protocol/model.ts";
import { requiredLabels } from "./label_change.ts";
import type { Operation, UnitOfWork } from "./unit_of_work.ts";

export type LabelFound = ConversationLabel & { conversation_id: string };

/** The labels of a conversation `c` as JSON, in the order of their ids. */
export const LABELS = sql<ConversationLabel[]>`coalesce((
  select jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name, 'color', l.color)
    order by l.id)
  from conversation_labels cl join labels l on l.id = cl.label_id
  where cl.conversation_id = c.id), '[]'::jsonb)`;

/**
 * For operations on labels: loads the labels that they name, and those that their conversations have.
 * Neither can change until the commit: the conversations are locked already, and the labels are
 * locked here. A deletion also locks the label before rows of its conversations, so the two cannot
 * deadlock.
 */
export async function loadLabels(
  trx: Db,
  all: ReadonlyMap<string, UnitOfWork>,
  operations: readonly Operation[],
): Promise<void> {
  const changes = operations.flatMap((one) => one.kind === "labels" ? [one] : []);
  if (changes.length === 0) return;
  const ids = [...new Set(changes.map(({ conversationId }) => conversationId))];
  const named = [...new Set(changes.flatMap(({ change }) => requiredLabels(change)))];
  const { rows: known } = await sql<ConversationLabel>`
    select l.id, l.name, l.color from labels l
    where l.id = any(${named}::uuid[]) or l.id in (
      select cl.label_id from conversation_labels cl
      where cl.conversation_id = any(${ids}::uuid[]))
    order by l.id for key share`.execute(trx);
  const byId = new Map(known.map((label) => [label.id, label]));
  const { rows } = await sql<LabelFound>`select * from labels_of(${ids}::uuid[])`.execute(trx);
  const stored = Map.groupBy(rows, (row) => row.conversation_id);
  for (const id of ids) {
    const unit = all.get(id);
    if (unit === undefined) continue;
    unit.row.labels = toLabels(stored.get(id));
    unit.labels = { known: byId, changed: false };
  }
}

/** Stored before everything else of the batch, which reads the labels again. */
export async function storeLabels(trx: Db, all: Iterable<UnitOfWork>): Promise<void> {
  const changed = [...all].filter(({ labels }) => labels?.changed);
  if (changed.length === 0) return;
  const wanted = changed.flatMap(({ row }) => row.labels.map(({ id }) => ({ c: row.id, l: id })));
  // Labels that remain keep their creation time.
  await sql`
    with wanted as (
      select * from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as w(c uuid, l uuid)
    ), gone as (
      delete from conversation_labels cl
      where cl.conversation_id = any(${changed.map(({ row }) => row.id)}::uuid[])
        and (cl.conversation_id, cl.label_id) not in (select c, l from wanted)
    )
    insert into conversation_labels (conversation_id, label_id)
    select c, l from wanted on conflict do nothing`.execute(trx);
}

export function toLabels(rows: readonly LabelFound[] = []): ConversationLabel[] {
  return rows.map(({ id, name, color }) => ({ id, name, color }));
}
