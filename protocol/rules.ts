/** Bodies of requests and responses of /api/context-rules. A rule itself is in model.ts. */
import { z } from "zod";
import { ContextRule, Id } from "./model.ts";

/** Rules in all. */
export const MAX_RULES = 200;

const { name, enabled, conditions, actions } = ContextRule.shape;

export const CreateContextRuleBody = z.strictObject({
  name,
  /** Default: true. */
  enabled: enabled.optional(),
  conditions: conditions.min(1),
  actions,
});
export type CreateContextRuleBody = z.infer<typeof CreateContextRuleBody>;

export const UpdateContextRuleBody = CreateContextRuleBody.partial().refine(
  (body) => Object.keys(body).length > 0,
  "at least one of name, enabled, conditions and actions is needed",
);
export type UpdateContextRuleBody = z.infer<typeof UpdateContextRuleBody>;

/** The new order of rules; those that are left out follow. */
export const OrderContextRulesBody = z.strictObject({
  ids: z.array(Id).min(1).max(MAX_RULES).refine(
    (ids) => new Set(ids).size === ids.length,
    "must not name a rule twice",
  ),
});

export const ContextRuleList = z.object({ items: z.array(ContextRule), nextCursor: z.null() });
export type ContextRuleList = z.infer<typeof ContextRuleList>;
