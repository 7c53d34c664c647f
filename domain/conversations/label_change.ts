import { ParleyError } from "../../protocol/errors.ts";
import { MAX_CONVERSATION_LABELS } from "../../protocol/labels.ts";
import {
  type Actor,
  type Applied,
  type LabelChange,
  log,
  type UnitOfWork,
} from "./unit_of_work.ts";

/** A change of labels has no activity line, and visitors do not see it. */
export function changeLabels(
  unit: UnitOfWork,
  actor: Actor,
  change: LabelChange,
  now: Date,
): Applied {
  const { row } = unit;
  const loaded = unit.labels!;
  const had = new Set(row.labels.map(({ id }) => id));
  const wanted = labelsAfter(change, had);
  const labels = [...wanted].sort().map((id) => {
    const label = loaded.known.get(id);
    if (label === undefined) throw unknownLabel(change, id);
    return label;
  });
  checkLabelCount(labels.length);
  if (wanted.size === had.size && labels.every(({ id }) => had.has(id))) {
    return { message: null, duplicate: true };
  }
  row.labels = labels;
  loaded.changed = true;
  const { userId, userName, role } = actor;
  log(unit, "conversation_changed", null, true, {
    labels: row.labels,
    actor: { userId, userName, role },
  }, now);
  return { message: null, duplicate: false };
}

/** @throws {ParleyError} `conflict` */
export function checkLabelCount(labels: number): void {
  if (labels <= MAX_CONVERSATION_LABELS) return;
  throw new ParleyError(
    "conflict",
    `Cannot label the conversation: it would have ${labels} labels, and ` +
      `${MAX_CONVERSATION_LABELS} are possible`,
  );
}

/** The labels after the change. */
export function labelsAfter(change: LabelChange, had: Iterable<string>): Set<string> {
  if ("labelIds" in change) return new Set(change.labelIds);
  const wanted = new Set([...had, ...change.add]);
  // Removing a label that the conversation does not have is no error.
  for (const id of change.remove) wanted.delete(id);
  return wanted;
}

/** The labels that have to exist for the change. */
export function requiredLabels(change: LabelChange): readonly string[] {
  return "labelIds" in change ? change.labelIds : change.add;
}

export function unknownLabel(change: LabelChange, id: string): ParleyError {
  const field = "labelIds" in change ? "labels" : "addLabels";
  const path = `${field}.${requiredLabels(change).indexOf(id)}`;
  return new ParleyError("invalid", `Cannot label the conversation: there is no label "${id}"`, {
    fields: [{ path, message: "must be a label's id" }],
  });
}
