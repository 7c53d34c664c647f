import type { MacroActions } from "../../../protocol/canned_responses.ts";
import type { Conversation } from "../../../protocol/model.ts";
import type { InboxModel } from "../../live/inbox_model.ts";
import { macroChange, macroWords } from "./canned.ts";

/**
 * Does to a conversation what a macro says, in one change, and says what was done.
 *
 * @throws {ApiError}
 */
export async function applyMacro(
  { labels, users, teams, user, list, toasts, request }: Pick<
    InboxModel,
    "labels" | "users" | "teams" | "user" | "list" | "toasts" | "request"
  >,
  conversationId: string,
  actions: MacroActions,
): Promise<void> {
  const change = macroChange(actions, labels.all.value, user.id, teams.value);
  if (change === null) return;
  const path = `/api/conversations/${conversationId}`;
  list.merge(await request<Conversation>(path, { method: "PATCH", body: change }));
  const done = macroWords(actions, labels.all.value, users.value, user.id, teams.value);
  toasts.show({ tone: "good", text: `Macro done: ${done.join(", ")}.` });
}
