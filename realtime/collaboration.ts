import type { Documents } from "../domain/collaboration/service.ts";
import type { Subject } from "../domain/collaboration/subjects.ts";
import type { EventBus } from "../domain/events.ts";
import {
  type CursorCommand,
  type DocumentEdit,
  type EditCommand,
  type EditReceipt,
  VIEWER,
} from "../protocol/collaboration.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Acks } from "../protocol/native.ts";
import type { HubEvent } from "./broker.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { requirePrincipal } from "./require_principal.ts";
import { ROOMS } from "./rooms.ts";
import { seqOf, type SequencedEntry } from "./sequencer.ts";
import type { DocumentMembers } from "./document_members.ts";

export interface JoinDocument {
  role: string;
  clientId?: string | undefined;
  epoch?: string | undefined;
  version?: number | undefined;
}

export type JoinedDocument = Acks["join_session"];

export interface Collaboration {
  /**
   * Joins a document: `accept` gets its state, and later edits follow as events.
   *
   * @throws {ParleyError} `forbidden`, `not_found`, `too_many_subscriptions`.
   */
  join(
    connection: Connection,
    subject: Subject,
    request: JoinDocument,
    accept: (joined: JoinedDocument) => void,
  ): Promise<JoinedDocument>;
  /** @throws {ParleyError} `not_joined`. */
  leave(connection: Connection, documentId: string): void;
  /** @throws {ParleyError} `not_joined`, `read_only`, and what `Documents.edit` throws. */
  edit(connection: Connection, documentId: string, command: EditCommand): Promise<EditReceipt>;
  /** @throws {ParleyError} `not_joined`. */
  cursor(connection: Connection, documentId: string, command: CursorCommand): void;
  /** The documents that a connection has joined. */
  openDocuments(connection: Connection): readonly string[];
}

interface OpenDocument {
  subject: Subject;
  sessionId: string | null;
  role: string;
  clientId: string;
  hasCursor: boolean;
}

const NONE: ReadonlyMap<string, OpenDocument> = new Map();

/** Shared documents over connections. `document_members.ts` has who works on them. */
export function createCollaboration(options: {
  hub: Hub;
  bus: EventBus;
  documents: Documents;
  members: DocumentMembers;
  now?: () => Date;
}): Collaboration {
  const { hub, bus, documents, members, now = () => new Date() } = options;
  const opened = new WeakMap<Connection, Map<string, OpenDocument>>();

  bus.on("document.edited", ({ edit, origin }) => {
    const { forAgents, forVisitors } = toEntry(edit, now());
    const room = ROOMS.document(edit.documentId);
    hub.publish({ room, forAgents, forVisitors, exceptConnection: origin });
  });

  function documentsOf(connection: Connection): Map<string, OpenDocument> {
    let documents = opened.get(connection);
    if (documents === undefined) {
      documents = new Map();
      opened.set(connection, documents);
      connection.cleanups.push(() => {
        for (const [id, document] of documents!) hideCursor(connection, id, document);
      });
    }
    return documents;
  }

  function find(connection: Connection, documentId: string): OpenDocument {
    const document = opened.get(connection)?.get(documentId);
    if (document !== undefined) return document;
    throw new ParleyError("not_joined", "Cannot do that: join the session first");
  }

  function showCursor(
    connection: Connection,
    documentId: string,
    { subject, sessionId, clientId }: OpenDocument,
    at: { version: number | null; position: number | null; selectionEnd: number | null },
  ): void {
    const { userId, userName, kind: role } = requirePrincipal(connection);
    const event: HubEvent = {
      type: "cursor",
      timestamp: now().toISOString(),
      data: { documentId, sessionId, clientId, userId, userName, role, ...at },
    };
    hub.publish({
      room: ROOMS.document(documentId),
      forAgents: event,
      forVisitors: subject.kind === "context" ? event : null,
      exceptConnection: connection.id,
    });
  }

  function hideCursor(connection: Connection, documentId: string, document: OpenDocument): void {
    if (!document.hasCursor) return;
    document.hasCursor = false;
    const hidden = { version: null, position: null, selectionEnd: null };
    showCursor(connection, documentId, document, hidden);
  }

  return {
    async join(connection, subject, request, accept) {
      const { role, clientId = connection.id, ...known } = request;
      const { userId } = requirePrincipal(connection);
      const documentId = await documents.open(requirePrincipal(connection), subject);
      const sessionId = subject.kind === "context" ? subject.sessionId : null;
      let joined: JoinedDocument | undefined;
      await hub.joinAfter(
        connection,
        ROOMS.document(documentId),
        () => documents.state(subject, { userId, clientId }, known),
        (state) => {
          if (connection.isOver) return;
          const joinedMembers = members.join(connection, { documentId, sessionId }, role);
          const before = documentsOf(connection).get(documentId);
          if (before !== undefined) hideCursor(connection, documentId, before);
          documentsOf(connection).set(documentId, {
            subject,
            sessionId,
            role,
            clientId,
            hasCursor: false,
          });
          joined = { documentId, role, clientId, ...state, ...joinedMembers };
          accept(joined);
        },
        (broadcast, state) => (seqOf(broadcast) ?? Infinity) > state.version,
        (state) => state.version,
      );
      return joined!;
    },

    leave(connection, documentId) {
      const document = find(connection, documentId);
      opened.get(connection)!.delete(documentId);
      hideCursor(connection, documentId, document);
      hub.leave(connection, ROOMS.document(documentId));
      members.leave(connection, documentId);
    },

    async edit(connection, documentId, { version, opId = null, exact = false, edits }) {
      const { subject, role, clientId } = find(connection, documentId);
      if (role === VIEWER) {
        throw new ParleyError("read_only", `Cannot edit: "${VIEWER}" only looks`);
      }
      const submission = { clientId, opId, version, exact, edits };
      const document = { id: documentId, subject };
      return await documents.edit(
        requirePrincipal(connection),
        document,
        submission,
        connection.id,
      );
    },

    cursor(connection, documentId, { version = null, position, selectionEnd = null }) {
      const document = find(connection, documentId);
      document.hasCursor = position !== null;
      showCursor(connection, documentId, document, { version, position, selectionEnd });
    },

    openDocuments: (connection) => [...(opened.get(connection) ?? NONE).keys()],
  };
}

/** An edit as an entry of the document's log. */
export function toEntry(edit: DocumentEdit, at: Date): SequencedEntry {
  const event: HubEvent = { type: "edit", timestamp: at.toISOString(), data: edit };
  return {
    seq: edit.version,
    forAgents: event,
    // Only agents see documents without a context.
    forVisitors: edit.sessionId === null ? null : event,
    // The id of a client without one is its connection's id.
    exceptConnection: edit.clientId,
  };
}
