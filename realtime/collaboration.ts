import type { Documents } from "../domain/collaboration/service.ts";
import type { Subject } from "../domain/collaboration/subjects.ts";
import type { EventBus } from "../domain/events.ts";
import type { Principal } from "../domain/principal.ts";
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
import { ROOMS } from "./rooms.ts";
import { seqOf, type SequencedEntry } from "./sequencer.ts";
import type { SessionTracker } from "./sessions.ts";

export interface JoinDocument {
  role: string;
  clientId?: string | undefined;
  epoch?: string | undefined;
  version?: number | undefined;
}

export type JoinedDocument = Acks["join_session"];

export interface Collaboration {
  /**
   * Works on a document from now on: `accept` gets it as it is, and what comes after follows.
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
  /** The documents that a connection works on. */
  opened(connection: Connection): readonly string[];
}

interface Opened {
  subject: Subject;
  sessionId: string | null;
  role: string;
  clientId: string;
  hasCursor: boolean;
}

const NOTHING: ReadonlyMap<string, Opened> = new Map();

/** Shared documents over connections; the session of one is who works on it (`sessions.ts`). */
export function createCollaboration(options: {
  hub: Hub;
  bus: EventBus;
  documents: Documents;
  sessions: SessionTracker;
  now?: () => Date;
}): Collaboration {
  const { hub, bus, documents, sessions, now = () => new Date() } = options;
  const opened = new WeakMap<Connection, Map<string, Opened>>();

  bus.on("document.edited", ({ edit, origin }) => {
    const { forAgents, forVisitors } = toEntry(edit, now());
    const room = ROOMS.document(edit.documentId);
    hub.publish({ room, forAgents, forVisitors, exceptConnection: origin });
  });

  function openedOf(connection: Connection): Map<string, Opened> {
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

  function find(connection: Connection, documentId: string): Opened {
    const document = opened.get(connection)?.get(documentId);
    if (document !== undefined) return document;
    throw new ParleyError("not_joined", "Cannot do that: join the session first");
  }

  function showCursor(
    connection: Connection,
    documentId: string,
    { subject, sessionId, clientId }: Opened,
    at: { version: number | null; position: number | null; selectionEnd: number | null },
  ): void {
    const { userId, userName, kind: role } = principalOf(connection);
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

  function hideCursor(connection: Connection, documentId: string, document: Opened): void {
    if (!document.hasCursor) return;
    document.hasCursor = false;
    const nowhere = { version: null, position: null, selectionEnd: null };
    showCursor(connection, documentId, document, nowhere);
  }

  return {
    async join(connection, subject, request, accept) {
      const { role, clientId = connection.id, ...known } = request;
      const { userId } = principalOf(connection);
      const documentId = await documents.open(principalOf(connection), subject);
      const sessionId = subject.kind === "context" ? subject.sessionId : null;
      let joined: JoinedDocument | undefined;
      await hub.joinAfter(
        connection,
        ROOMS.document(documentId),
        () => documents.state(subject, { userId, clientId }, known),
        (state) => {
          if (connection.isOver) return;
          const inside = sessions.join(connection, { documentId, sessionId }, role);
          const before = openedOf(connection).get(documentId);
          if (before !== undefined) hideCursor(connection, documentId, before);
          openedOf(connection).set(documentId, {
            subject,
            sessionId,
            role,
            clientId,
            hasCursor: false,
          });
          joined = { documentId, role, clientId, ...state, ...inside };
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
      sessions.leave(connection, documentId);
    },

    async edit(connection, documentId, { version, opId = null, exact = false, edits }) {
      const { subject, role, clientId } = find(connection, documentId);
      if (role === VIEWER) {
        throw new ParleyError("read_only", `Cannot edit: "${VIEWER}" only looks`);
      }
      const submission = { clientId, opId, version, exact, edits };
      const document = { id: documentId, subject };
      return await documents.edit(principalOf(connection), document, submission, connection.id);
    },

    cursor(connection, documentId, { version = null, position, selectionEnd = null }) {
      const document = find(connection, documentId);
      document.hasCursor = position !== null;
      showCursor(connection, documentId, document, { version, position, selectionEnd });
    },

    opened: (connection) => [...(opened.get(connection) ?? NOTHING).keys()],
  };
}

/** An edit as the log has it, for who missed it between two nodes. */
export function toEntry(edit: DocumentEdit, at: Date): SequencedEntry {
  const event: HubEvent = { type: "edit", timestamp: at.toISOString(), data: edit };
  return {
    seq: edit.version,
    forAgents: event,
    // Documents without a context are agents' own.
    forVisitors: edit.sessionId === null ? null : event,
    // A client without a name of its own has its connection's.
    exceptConnection: edit.clientId,
  };
}

function principalOf({ principal }: Connection): Principal {
  if (principal !== null) return principal;
  throw new ParleyError("unauthenticated", "Cannot do that: authenticate first");
}
