/** Entries of the audit log, and queries for them. */
import { z } from "zod";
import { Cursor, Id, queryInteger, Timestamp } from "./model.ts";

/** All actions, by group. Released names are never changed. */
export const AUDIT_ACTIONS = {
  sign_ins: ["sign_in.started", "sign_in.failed", "sign_in.ended", "sign_in.reused"],
  people: [
    "user.created",
    "user.role_changed",
    "user.renamed",
    "user.password_changed",
    "user.password_refused",
    "user.disabled",
    "user.enabled",
    "contact.erased",
    "contact.exported",
    "contact.merged",
    "contact.unmerged",
    "contact.blocked",
    "contact.unblocked",
  ],
  programs: ["api_key.created", "api_key.revoked"],
  widgets: ["widget.created", "widget.updated", "widget.deleted"],
  settings: [
    "rule.created",
    "rule.updated",
    "rule.deleted",
    "rules.ordered",
    "channel.created",
    "channel.updated",
    "channel.deleted",
    "label.created",
    "label.updated",
    "label.deleted",
    "team.created",
    "team.updated",
    "team.deleted",
    "canned_response.deleted",
    "canned_responses.managers_changed",
    "business_hours.changed",
    "queue.changed",
  ],
  connections: ["connections.ended"],
  exports: ["audit.exported", "analytics.exported"],
  tokens: ["context_token.issued"],
} as const;

export type AuditGroup = keyof typeof AUDIT_ACTIONS;
export type AuditAction = (typeof AUDIT_ACTIONS)[AuditGroup][number];
export const AuditAction = z.enum(Object.values(AUDIT_ACTIONS).flat() as [AuditAction]);
export const AuditGroup = z.enum(Object.keys(AUDIT_ACTIONS) as [AuditGroup]);

export const AuditActorKind = z.enum(["user", "program", "system", "nobody"]);
export type AuditActorKind = z.infer<typeof AuditActorKind>;

/**
 * One entry of the log. `actor.kind` is "nobody" for somebody who has not signed in; `data` has more
 * about the action, never a secret and never what people wrote.
 */
export const AuditEntry = z.object({
  id: Id,
  at: Timestamp,
  actor: z.object({ kind: AuditActorKind, id: Id.nullable(), name: z.string().nullable() }),
  action: z.string(),
  subject: z.object({ id: z.string().nullable(), name: z.string().nullable() }),
  result: z.enum(["done", "refused"]),
  data: z.record(z.string(), z.unknown()),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

export const AuditList = z.object({
  items: z.array(AuditEntry),
  nextCursor: z.string().nullable(),
});
export type AuditList = z.infer<typeof AuditList>;

const Filter = {
  /** Who did it: the id of a user or of an API key. */
  actorId: Id.optional(),
  group: AuditGroup.optional(),
  action: AuditAction.optional(),
  result: z.enum(["done", "refused"]).optional(),
  from: Timestamp.optional(),
  /** Not included. */
  to: Timestamp.optional(),
};
export const AuditExportQuery = z.strictObject(Filter);
export type AuditFilter = z.infer<typeof AuditExportQuery>;
export const AuditQuery = z.strictObject({
  ...Filter,
  cursor: Cursor.optional(),
  limit: queryInteger(1, 200).optional(),
});
