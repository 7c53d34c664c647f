import type { Caller } from "../principal.ts";

/**
 * Whether the caller may see and write this conversation: agents all, visitors with a session their
 * own, participants those of their token, programs all, within their scopes.
 */
export function maySee(
  principal: Caller,
  row: { id: string; contact_id: string; context_id: string | null },
): boolean {
  if (principal.kind !== "visitor") return true;
  const { contexts } = principal;
  if (contexts === undefined) return row.contact_id === principal.userId;
  return contexts.includes(row.id) ||
    (row.context_id !== null && contexts.includes(row.context_id));
}
