/** Bodies of requests and responses of /api/labels. A label itself is in model.ts. */
import { z } from "zod";
import { Id, Label, LabelColor } from "./model.ts";
import { nameOf, visibleOrEmpty } from "./text_fields.ts";

/** Labels in all. */
export const MAX_LABELS = 200;
/** Labels of one conversation. */
export const MAX_CONVERSATION_LABELS = 20;
/** Characters of a name, and of a description. */
export const MAX_LABEL_NAME = 50;
export const MAX_LABEL_DESCRIPTION = 300;

const Text = z.string().trim().overwrite((text) => text.toWellFormed());

export const CreateLabelBody = z.strictObject({
  /** Several spaces become one, so that no two labels look the same. */
  name: z.string().overwrite((name) => name.normalize()).pipe(nameOf(MAX_LABEL_NAME)),
  /** Default: gray. */
  color: LabelColor.optional(),
  description: Text.max(MAX_LABEL_DESCRIPTION).refine(...visibleOrEmpty).nullable().optional(),
});
export type CreateLabelBody = z.infer<typeof CreateLabelBody>;

export const UpdateLabelBody = CreateLabelBody.partial().refine(
  (body) => Object.values(body).some((value) => value !== undefined),
  "at least one of name, color and description is needed",
);
export type UpdateLabelBody = z.infer<typeof UpdateLabelBody>;

/** By name. */
export const LabelList = z.object({ items: z.array(Label), nextCursor: z.null() });
export type LabelList = z.infer<typeof LabelList>;

/** All labels that a conversation is to have, in whatever order. */
export const LabelIds = z.array(Id).max(MAX_CONVERSATION_LABELS).refine(
  (ids) => new Set(ids).size === ids.length,
  "must not name a label twice",
);
