/** Changes of conversations: of one, of several, and of what is read in them. */
import { z } from "zod";
import { LabelIds } from "./labels.ts";
import { ConversationStatus, Id, Priority, Timestamp } from "./model.ts";

const SHAPE = {
  status: ConversationStatus.optional(),
  /** With the status "snoozed": until when, within a year. Default, null: until the next reply. */
  snoozedUntil: Timestamp.nullable().optional(),
  /** A user's id, or null for nobody. */
  assigneeId: Id.nullable().optional(),
  /** A team's id, or null for none. */
  teamId: Id.nullable().optional(),
  priority: Priority.optional(),
  /** Ids of all its labels; none: []. */
  labels: LabelIds.optional(),
  /** Ids of labels to add. */
  addLabels: LabelIds.optional(),
  /** Ids of labels to remove, if it has them. */
  removeLabels: LabelIds.optional(),
};
const Changes = z.strictObject(SHAPE);
type Changes = z.infer<typeof Changes>;

/** The fields have to fit together. */
function checked<T extends z.ZodType<Changes>>(schema: T): T {
  return schema.refine(
    (body) => Object.keys(SHAPE).some((name) => body[name as keyof Changes] !== undefined),
    "at least one of status, assigneeId, teamId, priority, labels, addLabels and removeLabels is needed",
  ).refine(
    ({ status, snoozedUntil }) => snoozedUntil === undefined || status === "snoozed",
    { path: ["snoozedUntil"], message: 'goes only together with "status": "snoozed"' },
  ).refine(({ labels, addLabels, removeLabels }) => !labels || !addLabels && !removeLabels, {
    path: ["labels"],
    message: "are all that it is to have: without addLabels and removeLabels",
  }).refine(
    ({ addLabels = [], removeLabels }) => !removeLabels?.some((id) => addLabels.includes(id)),
    { path: ["removeLabels"], message: "must not name what addLabels names" },
  );
}

export const UpdateConversationBody = checked(Changes);
export type UpdateConversationBody = z.infer<typeof UpdateConversationBody>;

/** The same as a command. */
export const UpdateConversation = checked(z.strictObject({ conversationId: Id, ...SHAPE }));

/** Conversations of one bulk change. */
export const MAX_BULK = 200;

/** One change of many conversations. `labels`, which would replace those of each, is not possible. */
export const BulkBody = z.strictObject({
  ids: z.array(Id).min(1).max(MAX_BULK),
  change: UpdateConversationBody.refine(({ labels }) => labels === undefined, {
    path: ["labels"],
    message: "is not possible here: use addLabels and removeLabels",
  }),
});

/** What was changed, and what was not, and why. */
export const BulkAnswer = z.object({
  changed: z.array(Id),
  failed: z.array(z.object({ id: Id, code: z.string(), detail: z.string() })),
});
export type BulkAnswer = z.infer<typeof BulkAnswer>;
