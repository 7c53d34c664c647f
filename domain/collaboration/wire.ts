import type { DocumentEdit } from "../../protocol/collaboration.ts";
import type { AcceptedEdit } from "./document.ts";
import type { Subject } from "./types.ts";

/** An edit in the form that clients get. */
export function toDocumentEdit(id: string, subject: Subject, accepted: AcceptedEdit): DocumentEdit {
  const { edit, version, author, clientId, opId } = accepted;
  const sessionId = subject.kind === "context" ? subject.sessionId : null;
  return { ...edit, documentId: id, sessionId, version, author, clientId, opId };
}
