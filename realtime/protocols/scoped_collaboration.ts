/**
 * Scoped collaboration at `/api/collaboration/ws`: sessions and their texts, as in
 * docs/protocols/scoped.md.
 */
import { documentId as idOf, WORKSPACE } from "../../domain/collaboration/subjects.ts";
import type { Author, DocumentEdit } from "../../protocol/collaboration.ts";
import { SCOPED } from "../../protocol/collaboration.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { SessionMember } from "../../protocol/native.ts";
import type { HubEvent } from "../broker.ts";
import type { Collaboration } from "../collaboration.ts";
import type { Connection } from "../connection.ts";
import type { Protocol } from "../protocol.ts";
import type { Scope } from "../scopes.ts";
import { command, createScopedProtocol, type ScopedOptions } from "./scoped.ts";

export interface ScopedCollaborationOptions extends ScopedOptions {
  collaboration: Collaboration;
}

export function createScopedCollaborationProtocol(options: ScopedCollaborationOptions): Protocol {
  const { collaboration } = options;

  const subjectOf = (scope: Scope, sessionId: string) =>
    ({ kind: "context", contextId: scope.contextId ?? WORKSPACE, sessionId }) as const;

  /** Without a session id: the only document that the connection has joined. */
  function documentOf(connection: Connection, scope: Scope, sessionId: string | undefined): string {
    if (sessionId !== undefined) return idOf(subjectOf(scope, sessionId));
    const [only, ...more] = collaboration.openDocuments(connection);
    if (only === undefined) {
      throw new ParleyError("not_joined", "Cannot do that: join a session first");
    }
    if (more.length > 0) {
      throw new ParleyError("invalid", 'Cannot choose the session: "sessionId" is missing', {
        fields: [{ path: "sessionId", message: "is needed by who is in several sessions" }],
      });
    }
    return only;
  }

  return createScopedProtocol({
    name: "scoped-collaboration",
    needs: "nothing",
    onAuthenticated(connection, { contextId }, { inAddress }, reply) {
      if (inAddress) return;
      const { userId, userName: username, kind } = connection.principal!;
      reply("authenticated", { userId, username, role: kind, contextId });
    },
    encode,
    commands: {
      join_session: command(SCOPED.join_session, async (connection, scope, data, reply) => {
        const { sessionId, ...request } = data;
        await collaboration.join(connection, subjectOf(scope, sessionId), request, (joined) => {
          const { documentId: _, edits, members, ...state } = joined;
          reply("session_joined", {
            sessionId,
            ...state,
            edits: edits.map(toEdit),
            members: members.map(toPerson),
          });
        });
      }),
      leave_session: command(SCOPED.leave_session, (connection, scope, { sessionId }, reply) => {
        collaboration.leave(connection, idOf(subjectOf(scope, sessionId)));
        reply("session_left", { sessionId });
      }),
      edit: command(SCOPED.edit, async (connection, scope, { sessionId, ...edit }, reply) => {
        const documentId = documentOf(connection, scope, sessionId);
        reply("ack", await collaboration.edit(connection, documentId, edit));
      }),
      cursor: command(SCOPED.cursor, (connection, scope, { sessionId, ...cursor }, reply) => {
        collaboration.cursor(connection, documentOf(connection, scope, sessionId), cursor);
        reply.ack({});
      }),
    },
  }, options);
}

function encode(event: HubEvent): { type: string; data: unknown } | null {
  switch (event.type) {
    case "session_joined":
    case "session_left": {
      const { sessionId } = event.data;
      const type = event.type === "session_joined" ? "user_joined" : "user_left";
      return { type, data: { sessionId, ...toPerson(event.data) } };
    }
    case "edit":
      return { type: "edit", data: toEdit(event.data) };
    case "cursor": {
      const { sessionId, clientId, version, position, selectionEnd } = event.data;
      const author = toAuthor(event.data);
      return {
        type: "cursor",
        data: { sessionId, author, clientId, version, position, selectionEnd },
      };
    }
    default:
      return null;
  }
}

function toEdit({ documentId: _, author, ...edit }: DocumentEdit) {
  return { ...edit, author: toAuthor(author) };
}

function toAuthor({ userId, userName, role }: Author) {
  return { userId, username: userName, kind: role };
}

/** `role` is the label that the member has chosen, `kind` whether it is an agent or a visitor. */
function toPerson({ userId, userName, role, label }: SessionMember) {
  return { userId, username: userName, role: label, kind: role };
}
