/** Scoped collaboration at `/api/collaboration/ws`: who is in a session, as in PROTOCOL.md. */
import { z } from "zod";
import { ParleyError } from "../../protocol/errors.ts";
import { MAX_CONTENT, type SessionMember } from "../../protocol/native.ts";
import type { Protocol } from "../protocol.ts";
import type { SessionTracker } from "../sessions.ts";
import { command, createScopedProtocol, type ScopedOptions } from "./scoped.ts";

export interface ScopedCollaborationOptions extends ScopedOptions {
  sessions: SessionTracker;
}

const printable = (max: number) =>
  z.string().max(max).regex(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u, "must be printable characters");
const Position = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const JoinSession = z.object({
  sessionId: printable(200),
  role: printable(50).default("participant"),
});
const LeaveSession = z.object({ sessionId: printable(200) });
const Edit = z.object({
  operation: z.enum(["insert", "delete"], 'must be "insert" or "delete"'),
  position: Position,
  content: z.string().max(MAX_CONTENT),
  version: Position,
});

export function createScopedCollaborationProtocol(options: ScopedCollaborationOptions): Protocol {
  const { sessions } = options;
  return createScopedProtocol({
    name: "scoped-collaboration",
    needs: "context",
    arrive(connection, { contextId }, { inAddress }, reply) {
      if (inAddress) return;
      const { userId, userName: username, kind } = connection.principal!;
      reply("authenticated", { userId, username, role: kind, contextId });
    },
    encode(event) {
      if (event.type !== "session_joined" && event.type !== "session_left") return null;
      const type = event.type === "session_joined" ? "user_joined" : "user_left";
      return { type, data: { sessionId: event.data.sessionId, ...toPerson(event.data) } };
    },
    commands: {
      join_session: command(JoinSession, (connection, scope, { sessionId, role }, reply) => {
        const name = { contextId: scope.contextId!, sessionId };
        const { members, memberCount } = sessions.join(connection, name, role);
        reply("session_joined", {
          sessionId,
          role,
          members: members.map(toPerson),
          memberCount,
        });
      }),
      leave_session: command(LeaveSession, (connection, scope, { sessionId }, reply) => {
        sessions.leave(connection, { contextId: scope.contextId!, sessionId });
        reply("session_left", { sessionId });
      }),
      edit: command(Edit, (connection) => {
        if (!sessions.inAny(connection)) {
          throw new ParleyError("not_joined", "Cannot edit: join a session first");
        }
        throw new ParleyError("unavailable", "Cannot edit: this server has no shared documents");
      }),
    },
  }, options);
}

/** `role` is the part that the member chose, `kind` who they are. */
function toPerson({ userId, userName, role, label }: SessionMember) {
  return { userId, username: userName, role: label, kind: role };
}
