/** What agents have written and not sent, with bodies of requests and responses. */
import { z } from "zod";
import { Cursor, Id, queryInteger, Timestamp } from "./model.ts";

/** Drafts of one agent. Those beyond are refused; the older ones stay. */
export const MAX_DRAFTS = 500;
/** Characters of a draft, as many as of a message. */
export const MAX_DRAFT = 20_000;

export const DraftMode = z.enum(["reply", "note"]);
export type DraftMode = z.infer<typeof DraftMode>;

export const Draft = z.object({
  conversationId: Id,
  mode: DraftMode,
  content: z.string(),
  /** Grows with each change; of two states of a draft the one with the higher version is newer. */
  version: z.number().int().positive(),
  updatedAt: Timestamp,
});
export type Draft = z.infer<typeof Draft>;

export const SaveDraftBody = z.strictObject({
  mode: DraftMode,
  /** Empty, or only white space: the draft is deleted. */
  content: z.string().max(MAX_DRAFT).overwrite((text) => text.toWellFormed()),
  /** The version that the change is based on; any other than the stored one is refused. */
  version: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
});
export type SaveDraftBody = z.infer<typeof SaveDraftBody>;

export const DraftQuery = z.strictObject({
  conversationId: Id.optional(),
  cursor: Cursor.optional(),
  limit: queryInteger(1, 100).optional(),
});
export type DraftQuery = z.infer<typeof DraftQuery>;

/** The last changed first. */
export const DraftList = z.object({ items: z.array(Draft), nextCursor: z.string().nullable() });
export type DraftList = z.infer<typeof DraftList>;
