import { ParleyError } from "../protocol/errors.ts";
import {
  type Acks,
  type CommandData,
  type CommandType,
  type JoinResult,
  MAX_MEMBERS,
  MAX_PRESENCE,
  type Member,
} from "../protocol/native.ts";
import type { Page } from "../protocol/model.ts";
import type { Conversations } from "../domain/conversations/types.ts";
import type { Metrics } from "../domain/metrics.ts";
import type { Principal, VisitorPrincipal } from "../domain/principal.ts";
import { type Tracing, tracing } from "../domain/tracing.ts";
import type { Subject } from "../domain/collaboration/subjects.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Collaboration } from "./collaboration.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { logMessage } from "./log.ts";
import type { MetricSubscriptions } from "./metrics.ts";
import type { PresenceTracker } from "./presence.ts";
import type { TableSubscriptions } from "./tables.ts";
import { ROOMS } from "./rooms.ts";
import type { Probes } from "./probes.ts";
import type { TypingTracker } from "./typing.ts";

export interface CommandsOptions {
  hub: Hub;
  conversations: Conversations;
  presence: PresenceTracker;
  typing: TypingTracker;
  authenticator: Authenticator;
  tables: TableSubscriptions;
  followed: MetricSubscriptions;
  collaboration: Collaboration;
  probes: Pick<Probes, "answered">;
  recordPage: (visitor: VisitorPrincipal, page: Page) => Promise<void>;
  metrics: Pick<Metrics, "ack" | "recoveries" | "refusals">;
}

type Handler<T extends CommandType> = (
  connection: Connection,
  data: CommandData<T>,
  /** Sends the ack at once, for a command whose events must follow its answer. */
  accept: (result: Acks[T]) => void,
) => Promise<Acks[T]> | Acks[T];

export type Commands = { [T in CommandType]: Handler<T> };

const DONE = {};

/** Every command of the hub, the same for each protocol. Rights are checked in every one. */
export function createCommands(options: CommandsOptions): Commands {
  const commands = commandsOf(options);
  return tracing === null ? commands : traced(commands, tracing);
}

function traced(commands: Commands, to: Tracing): Commands {
  const entries = Object.entries(commands).map(([name, handle]) => {
    const run: Handler<CommandType> = (connection, data, accept) =>
      to.run(
        "command",
        { "parley.command": name, "parley.protocol": connection.protocol.name },
        () => (handle as Handler<CommandType>)(connection, data, accept),
      );
    return [name, run];
  });
  return Object.fromEntries(entries) as Commands;
}

function commandsOf(options: CommandsOptions): Commands {
  const {
    hub,
    conversations,
    presence,
    typing,
    authenticator,
    tables,
    followed,
    metrics,
    collaboration,
  } = options;

  /** Counts what a conversation's own rate refuses, and throws it on. */
  function refused(error: unknown): never {
    if (error instanceof ParleyError && error.code === "rate_limited") {
      metrics.refusals.inc({ limit: error.limit ?? "unknown" });
    }
    throw error;
  }

  return {
    auth: (connection, credentials) => authenticator.authenticate(connection, credentials),
    refresh: (connection, { token }) => authenticator.refresh(connection, token),

    async join(connection, { conversationId, members = "list", ...position }, accept) {
      const principal = authenticated(connection);
      const { subscriptions } = connection.limits;
      const { conversations: joined } = connection;
      if (!joined.has(conversationId) && joined.size >= subscriptions) {
        throw new ParleyError(
          "too_many_subscriptions",
          `Cannot join: this connection follows ${subscriptions} conversations already`,
          { limit: "MAX_SUBSCRIPTIONS" },
        );
      }
      let result: JoinResult | undefined;
      await hub.joinAfter(
        connection,
        ROOMS.conversation(conversationId),
        () => conversations.join(principal, conversationId, position),
        (state) => {
          // The peer may have gone while its snapshot was read.
          if (connection.isOver) return;
          metrics.recoveries.inc({ outcome: outcomeOf(position, state) });
          presence.join(connection, conversationId, members);
          const inside = presence.members(conversationId, { limit: MAX_MEMBERS });
          result = {
            conversationId,
            epoch: conversations.epoch,
            ...state,
            ...inside,
            ...(members === "list" ? {} : { members: [], membersCursor: null }),
          };
          accept(result);
        },
        // What the snapshot holds already must not come again as news.
        ({ forAgents }, state) => {
          const seq = (forAgents?.data as { seq?: number } | undefined)?.seq;
          return seq === undefined || seq > state.seq;
        },
        (state) => state.seq,
      ).catch((error) => {
        presence.leave(connection, conversationId);
        throw error;
      });
      return result!;
    },

    members(connection, { conversationId, cursor, limit = MAX_MEMBERS }) {
      authenticated(connection);
      if (!connection.conversations.has(conversationId)) {
        throw new ParleyError("not_joined", "Cannot list members: join the conversation first");
      }
      return presence.members(conversationId, { cursor, limit });
    },

    presence_list(connection, { cursor, limit = MAX_PRESENCE, role }) {
      // Visitors never learn of other visitors.
      const visible = authenticated(connection).kind === "agent" ? role : "agent";
      return presence.page({ cursor, limit, role: visible });
    },

    leave(connection, { conversationId }) {
      authenticated(connection);
      leaveConversation({ typing, presence }, connection, conversationId);
      hub.leave(connection, ROOMS.conversation(conversationId));
      return DONE;
    },

    async message(connection, data) {
      const start = performance.now();
      const principal = authenticated(connection);
      const own = connection.ownConversation;
      const conversationId = data.conversationId ?? own ?? undefined;
      const result = await conversations.post(principal, { ...data, conversationId })
        .catch((error) => {
          const isGone = data.conversationId === undefined && own !== null &&
            error instanceof ParleyError && error.code === "not_found";
          if (!isGone) throw error;
          // It was deleted while this connection knew it: as for a visitor who has none yet.
          if (connection.ownConversation === own) connection.ownConversation = null;
          return conversations.post(principal, data);
        })
        .catch(refused);
      metrics.ack.observe((performance.now() - start) / 1000);
      logMessage(connection, result.message.conversationId, result.message.seq);
      if (principal.kind === "visitor") {
        connection.ownConversation = result.message.conversationId;
      }
      return result;
    },

    async edit_message(connection, { conversationId, messageId, content }) {
      const principal = authenticated(connection);
      return {
        message: await conversations.edit(principal, conversationId, messageId, content),
      };
    },

    delete_message: (connection, { conversationId, messageId }) =>
      conversations.remove(authenticated(connection), conversationId, messageId),

    history: (connection, { conversationId, ...query }) =>
      conversations.history(authenticated(connection), conversationId, query),

    typing(connection, { conversationId, isTyping, isPrivate }) {
      const principal = authenticated(connection);
      if (isPrivate && principal.kind !== "agent") {
        throw new ParleyError("forbidden", "Cannot type a note: only agents write notes");
      }
      if (!connection.conversations.has(conversationId)) {
        throw new ParleyError("not_joined", "Cannot type: join the conversation first");
      }
      try {
        conversations.takeBroadcast(conversationId);
      } catch (error) {
        refused(error);
      }
      typing.set(conversationId, memberOf(principal), isTyping, isPrivate);
      return DONE;
    },

    async read(connection, { conversationId, seq }) {
      const { readSeq } = await conversations.read(authenticated(connection), conversationId, seq);
      return { readSeq };
    },

    delivered: (connection, { conversationId, seq }) =>
      conversations.delivered(authenticated(connection), conversationId, seq),

    async page(connection, page) {
      const principal = authenticated(connection);
      if (principal.kind !== "visitor") {
        throw new ParleyError("forbidden", "Cannot report a page: only visitors do");
      }
      presence.setPage(principal.userId, page);
      await options.recordPage(principal, page);
      return DONE;
    },

    presence(connection, { status }) {
      const principal = authenticated(connection);
      if (principal.kind !== "agent") {
        throw new ParleyError("forbidden", "Cannot set a status: only agents do");
      }
      presence.setStatus(principal.userId, status);
      return DONE;
    },

    async subscribe(connection, request, accept) {
      if (!("metrics" in request)) return await tables.subscribe(connection, request, accept);
      let metrics: string[] = [];
      await followed.follow(connection, null, request.metrics, (names) => {
        accept({ metrics: metrics = names });
      });
      return { metrics };
    },

    unsubscribe(connection, request) {
      authenticated(connection);
      if ("metrics" in request) followed.unfollow(connection, request.metrics);
      else tables.unsubscribe(connection, request.subscription);
      return DONE;
    },

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

    ping(connection, data) {
      options.probes.answered(connection, data);
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

function outcomeOf({ seq }: { seq?: number | undefined }, { recovered }: { recovered: boolean }) {
  if (seq === undefined) return "fresh";
  return recovered ? "recovered" : "snapshot";
}

/** Typing ends with whoever typed; being there ends after the grace. */
export function leaveConversation(
  trackers: { typing: TypingTracker; presence: PresenceTracker },
  connection: Connection,
  conversationId: string,
): void {
  if (connection.principal === null) return;
  trackers.typing.set(conversationId, memberOf(connection.principal), false);
  trackers.presence.leave(connection, conversationId);
}

function authenticated(connection: Connection): Principal {
  if (connection.principal === null) {
    throw new ParleyError("unauthenticated", "Cannot do that: authenticate first");
  }
  return connection.principal;
}

function memberOf({ userId, userName, kind }: Principal): Member {
  return { userId, userName, role: kind };
}
