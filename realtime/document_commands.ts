/** Commands about shared documents. */
import type { Subject } from "../domain/collaboration/subjects.ts";
import type { CommandData } from "../protocol/native.ts";
import type { Collaboration } from "./collaboration.ts";
import { type Commands, DONE } from "./command_types.ts";

type DocumentCommands = Pick<Commands, "join_session" | "leave_session" | "edit" | "cursor">;

export function createDocumentCommands(collaboration: Collaboration): DocumentCommands {
  return {
    join_session: (connection, data, accept) =>
      collaboration.join(connection, subjectOf(data), data, accept),

    leave_session(connection, { documentId }) {
      collaboration.leave(connection, documentId);
      return DONE;
    },

    edit: (connection, { documentId, ...edit }) => collaboration.edit(connection, documentId, edit),

    cursor(connection, { documentId, ...cursor }) {
      collaboration.cursor(connection, documentId, cursor);
      return DONE;
    },
  };
}

function subjectOf(data: CommandData<"join_session">): Subject {
  const { conversationId, contactId, contextId, sessionId } = data;
  if (conversationId !== undefined) return { kind: "conversation", id: conversationId };
  if (contactId !== undefined) return { kind: "contact", id: contactId };
  return { kind: "context", contextId: contextId!, sessionId: sessionId! };
}
