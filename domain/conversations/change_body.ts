import type { UpdateConversationBody } from "../../protocol/conversation_changes.ts";
import type { ConversationChanges } from "./types.ts";

/** What a request or a command wants to change. */
export function changesOf(
  { labels: labelIds, addLabels, removeLabels, ...changes }: UpdateConversationBody,
): ConversationChanges {
  const labels = labelIds !== undefined
    ? { labelIds }
    : addLabels ?? removeLabels
    ? { add: addLabels ?? [], remove: removeLabels ?? [] }
    : undefined;
  return { ...changes, labels };
}
