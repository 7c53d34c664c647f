/** Finding canned replies, and what macros do, in words and as a change. */
import type { Team } from "../../../protocol/teams.ts";
import type { UpdateConversationBody } from "../../../protocol/conversation_changes.ts";
import type { CannedResponse, MacroActions } from "../../../protocol/canned_responses.ts";
import type { ConversationStatus, Label, User } from "../../../protocol/model.ts";

const plain = (text: string) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** 0 is the best. null: it does not fit. */
function rank({ shortCode, folder, content }: CannedResponse, wanted: string): number | null {
  const code = plain(shortCode);
  if (code.startsWith(wanted)) return 0;
  if (code.includes(wanted)) return 1;
  if (plain(folder ?? "").includes(wanted)) return 2;
  return plain(content).includes(wanted) ? 3 : null;
}

/** Those that fit, the best ones first; of equal ones by short code, one's own before those for all. */
export function findCanned(
  all: readonly CannedResponse[],
  text: string,
  limit: number,
): CannedResponse[] {
  const wanted = plain(text);
  return all.map((item) => ({ item, rank: rank(item, wanted) }))
    .filter((one): one is { item: CannedResponse; rank: number } => one.rank !== null)
    .sort((a, b) =>
      a.rank - b.rank || a.item.shortCode.localeCompare(b.item.shortCode) ||
      Number(a.item.shared) - Number(b.item.shared)
    )
    .slice(0, limit).map(({ item }) => item);
}

const STATUS_VERBS: Partial<Record<ConversationStatus, string>> = {
  open: "reopen",
  pending: "mark as pending",
  resolved: "resolve",
};

/** What a macro does, such as ["add Refund", "assign to you", "resolve"]. */
export function macroWords(
  { addLabels = [], assignTo, teamId, status }: MacroActions,
  labels: readonly Label[],
  users: readonly User[],
  me: string,
  teams: readonly Team[],
): string[] {
  const words = labels.filter(({ id }) => addLabels.includes(id)).map(({ name }) => `add ${name}`);
  if (assignTo === "me" || assignTo === me) words.push("assign to you");
  else if (assignTo === "nobody") words.push("unassign");
  else if (assignTo !== undefined) {
    const name = users.find(({ id }) => id === assignTo)?.name;
    words.push(`assign to ${name ?? "somebody who left"}`);
  }
  const team = teams.find(({ id }) => id === teamId);
  if (team !== undefined) words.push(`give to ${team.name}`);
  if (status !== undefined) words.push(STATUS_VERBS[status]!);
  return words;
}

/** "Add Refund, assign to you" */
export function sentenceOf(words: readonly string[]): string {
  const text = words.join(", ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The change of a conversation; null: there is nothing left to do, since labels were deleted. */
export function macroChange(
  { addLabels = [], assignTo, teamId, status }: MacroActions,
  labels: readonly Label[],
  me: string,
  teams: readonly Team[],
): UpdateConversationBody | null {
  const known = addLabels.filter((id) => labels.some((label) => label.id === id));
  const change: UpdateConversationBody = {
    ...(known.length === 0 ? {} : { addLabels: known }),
    ...(assignTo === undefined
      ? {}
      : { assigneeId: assignTo === "me" ? me : assignTo === "nobody" ? null : assignTo }),
    ...(teams.some(({ id }) => id === teamId) ? { teamId } : {}),
    ...(status === undefined ? {} : { status }),
  };
  return Object.keys(change).length === 0 ? null : change;
}
