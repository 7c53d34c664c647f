import type { ReadonlySignal } from "@preact/signals";
import type { MacroActions } from "../../protocol/canned_responses.ts";
import type { Draft } from "../../protocol/drafts.ts";
import type { ParleyClient, PendingMessage } from "../../client/mod.ts";
import { createDrafts } from "./drafts_model.ts";
import { createFilesModel, textKey } from "./files_model.ts";
import { createHeldSends } from "./held_sends.ts";
import type { LabelsModel } from "./labels_model.ts";
import type { ListModel } from "./list_model.ts";
import type { MessageActions } from "./message_actions.ts";
import { createScheduled } from "./scheduled_model.ts";
import type { TeamDirectory } from "./team_directory.ts";
import { createUnsent } from "./unsent_model.ts";
import type { WorkspaceModel } from "./workspace_model.ts";

interface OutgoingParts {
  workspace: WorkspaceModel;
  directory: TeamDirectory;
  labels: LabelsModel;
  list: ListModel;
  messages: Pick<MessageActions, "giveReplyBack">;
  selectedId: ReadonlySignal<string | null>;
}

/**
 * What an agent writes until it is sent: drafts, files, replies that wait for the time of an undo or
 * for their date, and those that could not be sent.
 */
export function createOutgoing(firstDrafts: readonly Draft[], parts: OutgoingParts) {
  const { workspace, directory: { users, teams }, labels, list, messages, selectedId } = parts;
  const userId = workspace.user.id;
  const files = createFilesModel({
    client: workspace.client,
    token: workspace.token,
    notify: (text) => void workspace.toasts.show({ tone: "bad", text }),
  });
  const drafts = createDrafts(firstDrafts, {
    userId,
    request: workspace.request,
    fail: workspace.fail,
  });
  const unsent = createUnsent();
  const scheduled = createScheduled(workspace);
  const held = createHeldSends({
    userId,
    client: workspace.client,
    request: workspace.request,
    giveBack({ conversationId, content, files: sent }) {
      drafts.prepend(conversationId, "reply", content);
      void files.putBack(textKey(conversationId, false), sent);
    },
    sent: ({ conversationId, macro }) => void runMacro(conversationId, macro),
  });

  /** Does what a macro says as soon as its text is stored. */
  async function runMacro(conversationId: string, macro: MacroActions | null): Promise<void> {
    if (macro === null) return;
    try {
      const { applyMacro } = await import("../inbox/suggestions/macro.ts");
      await applyMacro({ ...workspace, labels, users, teams, list }, conversationId, macro);
    } catch (error) {
      workspace.fail(error);
    }
  }

  return {
    files,
    drafts,
    held,
    runMacro,
    scheduled,
    /** What the server refused, by conversation. */
    unsent: unsent.unsent,
    /** Puts a message that could not be sent back into the composer. */
    editAgain({ content, isPrivate, files: sent, replyToId }: PendingMessage) {
      const id = selectedId.value;
      if (id === null) return;
      drafts.prepend(id, isPrivate ? "note" : "reply", content);
      void files.putBack(textKey(id, isPrivate), sent);
      messages.giveReplyBack({ replyToId });
    },
    listen: (own: ParleyClient): (() => void)[] => [
      ...drafts.listen(own),
      held.begin(),
      ...unsent.listen(own),
      ...scheduled.listen(own),
    ],
  };
}
