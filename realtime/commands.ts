import { ParleyError } from "../protocol/errors.ts";
import { type CommandType, MAX_PRESENCE } from "../protocol/native.ts";
import type { Page } from "../protocol/model.ts";
import type { VisitorPrincipal } from "../domain/principal.ts";
import { type Tracing, tracing } from "../domain/tracing.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Collaboration } from "./collaboration.ts";
import { type Commands, DONE, type Handler } from "./command_types.ts";
import {
  type ConversationCommandsOptions,
  createConversationCommands,
} from "./conversation_commands.ts";
import { createDocumentCommands } from "./document_commands.ts";
import type { LatencyProbes } from "./latency_probes.ts";
import type { MetricSubscriptions } from "./metrics.ts";
import { requirePrincipal } from "./require_principal.ts";
import type { TableSubscriptions } from "./tables.ts";

export type { Commands } from "./command_types.ts";

export interface CommandsOptions extends ConversationCommandsOptions {
  authenticator: Authenticator;
  tables: TableSubscriptions;
  metricSubscriptions: MetricSubscriptions;
  collaboration: Collaboration;
  probes: Pick<LatencyProbes, "onPing">;
  recordPage: (visitor: VisitorPrincipal, page: Page) => Promise<void>;
}

export function createCommands(options: CommandsOptions): Commands {
  const commands: Commands = {
    ...createConnectionCommands(options),
    ...createConversationCommands(options),
    ...createSubscriptionCommands(options),
    ...createDocumentCommands(options.collaboration),
  };
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

type ConnectionCommands = Pick<
  Commands,
  "auth" | "refresh" | "presence" | "presence_list" | "page" | "ping"
>;

/** Commands about the connection and its principal. */
function createConnectionCommands(options: CommandsOptions): ConnectionCommands {
  const { authenticator, presence, recordPage, probes } = options;
  return {
    auth: (connection, credentials) => authenticator.authenticate(connection, credentials),
    refresh: (connection, { token }) => authenticator.refresh(connection, token),

    presence(connection, { status }) {
      const principal = requirePrincipal(connection);
      if (principal.kind !== "agent") {
        throw new ParleyError("forbidden", "Cannot set a status: only agents do");
      }
      presence.setStatus(principal.userId, status);
      return DONE;
    },

    presence_list(connection, { cursor, limit = MAX_PRESENCE, role }) {
      // Visitors never see other visitors.
      const visible = requirePrincipal(connection).kind === "agent" ? role : "agent";
      return presence.page({ cursor, limit, role: visible });
    },

    async page(connection, page) {
      const principal = requirePrincipal(connection);
      if (principal.kind !== "visitor") {
        throw new ParleyError("forbidden", "Cannot report a page: only visitors do");
      }
      try {
        // Stored first: agents who hear of the page read the list that has it.
        await recordPage(principal, page);
      } finally {
        presence.setPage(principal.userId, page);
      }
      return DONE;
    },

    ping(connection, data) {
      probes.onPing(connection, data);
      return DONE;
    },
  };
}

/** Subscriptions to tables and metrics. */
function createSubscriptionCommands(
  { tables, metricSubscriptions }: CommandsOptions,
): Pick<Commands, "subscribe" | "unsubscribe"> {
  return {
    async subscribe(connection, request, accept) {
      if (!("metrics" in request)) return await tables.subscribe(connection, request, accept);
      let metrics: string[] = [];
      await metricSubscriptions.follow(connection, null, request.metrics, (names) => {
        accept({ metrics: metrics = names });
      });
      return { metrics };
    },

    unsubscribe(connection, request) {
      requirePrincipal(connection);
      if ("metrics" in request) metricSubscriptions.unfollow(connection, request.metrics);
      else tables.unsubscribe(connection, request.subscription);
      return DONE;
    },
  };
}
