/**
 * The common part of the protocols at `/api/chat/ws`, `/api/analytics/ws` and
 * `/api/collaboration/ws`: the envelope `{type, id?, timestamp, data, error?}`, one message in each
 * frame, authentication for one context by the URL or a first `auth`, and a close at the first
 * command over a rate. See docs/protocols/scoped.md; each of the three adds its commands and
 * events.
 */
import { z } from "zod";
import { CLOSE } from "../../protocol/close_codes.ts";
import { OptionalContextId } from "../../protocol/contexts.ts";
import { closingFor, invalid, ParleyError, toParleyError } from "../../protocol/errors.ts";
import { parseJson } from "../../protocol/json.ts";
import { idIn, peek } from "../../protocol/peek.ts";
import type { CommandId } from "../../protocol/native.ts";
import type { HubEvent } from "../broker.ts";
import type { Connection } from "../connection.ts";
import type { Protocol } from "../protocol.ts";
import type { Needs, Scope, Scopes } from "../scopes.ts";

export interface ScopedOptions {
  scopes: Scopes;
  onUnexpected: (error: unknown, connection: Connection) => void;
  now?: () => Date;
}

/** What a client sent with its credentials. */
export interface AuthRequest {
  /** The last `seq` that it has; it receives the events after it. */
  lastSeq: number | undefined;
  epoch: string | undefined;
  /** The credentials were in the URL, so the client expects no answer. */
  inAddress: boolean;
}

/** Sends the answer to one command, with the command's id if it had one. */
export interface Reply {
  (type: string, data: unknown): void;
  /** Sends nothing if the command had no id. */
  ack(data: unknown): void;
}

export interface ScopedCommand<T> {
  data: z.ZodType<T>;
  handle(connection: Connection, scope: Scope, data: T, reply: Reply): Promise<void> | void;
}

/** Checks that handler and schema fit, and drops their type for the table of commands. */
export function command<T>(
  data: z.ZodType<T>,
  handle: ScopedCommand<T>["handle"],
): ScopedCommand<unknown> {
  return { data, handle } as ScopedCommand<unknown>;
}

export interface ScopedKind {
  name: string;
  needs: Needs;
  commands: Record<string, ScopedCommand<unknown>>;
  /** Joins what there is to follow, and answers. */
  onAuthenticated(
    connection: Connection,
    scope: Scope,
    request: AuthRequest,
    reply: Reply,
  ): Promise<void> | void;
  /** `type` and `data` of an event in this protocol, or null if it has none. */
  encode(event: HubEvent): { type: string; data: unknown } | null;
}

/** The envelope. Credentials are beside `data`, or in it. */
const Frame = z.looseObject({
  type: z.string().min(1).max(64),
  id: z.union([z.string().min(1).max(64), z.number().int()]).optional(),
  data: z.unknown().optional(),
});

const Seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const Token = z.string().min(1).max(8192);
const Auth = z.object({
  token: Token,
  contextId: OptionalContextId,
  lastSeq: z.union([Seq, z.string().regex(/^\d{1,15}$/).transform(Number)], "must be a seq")
    .optional(),
  epoch: z.string().max(64).optional(),
  inAddress: z.boolean().optional(),
});

/** The start of the frame that stands for credentials in the URL. */
const IN_ADDRESS = { type: "auth", inAddress: true };
const IN_ADDRESS_START = JSON.stringify(IN_ADDRESS).slice(0, -1);

export function createScopedProtocol(kind: ScopedKind, options: ScopedOptions): Protocol {
  const { scopes, onUnexpected, now = () => new Date() } = options;
  const iso = () => now().toISOString();
  const started = new WeakSet<Connection>();

  function write(type: string, data: unknown, id?: CommandId, timestamp = iso()): string {
    return JSON.stringify({ type, ...(id === undefined ? {} : { id }), timestamp, data });
  }

  function writeError(error: ParleyError, id?: CommandId): string {
    const { code, retryAfter, limit, fields } = error;
    return JSON.stringify({
      type: "error",
      ...(id === undefined ? {} : { id }),
      timestamp: iso(),
      error: code === "rate_limited" ? CLOSE.rateLimited.reason : error.message,
      data: { code, retryAfter, limit, fields },
    });
  }

  function replyTo(connection: Connection, id: CommandId | undefined): Reply {
    const reply = (type: string, data: unknown) => connection.send(write(type, data, id));
    return Object.assign(reply, {
      ack: (data: unknown) => {
        if (id !== undefined) reply("ack", data);
      },
    });
  }

  async function authenticate(
    connection: Connection,
    frame: z.infer<typeof Frame>,
    reply: Reply,
  ): Promise<void> {
    const inside = typeof frame.data === "object" ? frame.data : {};
    const given: Record<string, unknown> = { ...inside, ...frame };
    if (!given["token"] && given["sessionId"]) {
      throw new ParleyError(
        "invalid",
        'Cannot authenticate: "token" is needed here, because a session belongs to no context',
        { fields: [{ path: "token", message: "is needed" }] },
      );
    }
    const parsed = Auth.safeParse(given);
    if (!parsed.success) throw invalid('"auth"', parsed.error);
    const { token, contextId, lastSeq, epoch, inAddress = false } = parsed.data;
    const isRepeated = connection.principal !== null;
    try {
      const scope = await scopes.authenticate(connection, { token, contextId }, kind.needs);
      await kind.onAuthenticated(connection, scope, { lastSeq, epoch, inAddress }, reply);
    } catch (thrown) {
      const error = toParleyError(thrown);
      throw isRepeated ? error : new FailedAuthentication(error, inAddress);
    }
  }

  async function handle(connection: Connection, frame: z.infer<typeof Frame>): Promise<void> {
    const { type, id } = frame;
    const reply = replyTo(connection, id);
    if (type === "ping") return reply("pong", {});
    if (type === "auth") return await authenticate(connection, frame, reply);
    if (connection.principal === null) {
      throw new ParleyError("unauthenticated", `Cannot handle "${type}": authenticate first`);
    }
    const scope = scopes.of(connection);
    if (type === "refresh") {
      const parsed = z.object({ token: Token }).safeParse(frame.data ?? {});
      if (!parsed.success) throw invalid('"refresh"', parsed.error);
      return reply.ack(await scopes.refresh(connection, parsed.data.token));
    }
    if (!Object.hasOwn(kind.commands, type)) {
      throw new ParleyError("unknown_type", `Cannot handle the message: unknown type "${type}"`);
    }
    const { data, handle } = kind.commands[type]!;
    const parsed = data.safeParse(frame.data ?? {});
    if (!parsed.success) throw invalid(`"${type}"`, parsed.error);
    await handle(connection, scope, parsed.data, reply);
  }

  function answerError(connection: Connection, thrown: unknown, id: CommandId | undefined): void {
    const failed = thrown instanceof FailedAuthentication;
    const error = failed ? thrown.error : toParleyError(thrown);
    if (error.code === "internal") onUnexpected(error.cause ?? thrown, connection);
    connection.errorSent(error);
    connection.send(writeError(error, id));
    // A room's rate is shared by all its members, so exceeding it does not close the connection.
    const isOwn = error.limit !== "LIMIT_ROOM_BROADCASTS_PER_MINUTE";
    if (error.code === "rate_limited" && isOwn) connection.close(CLOSE.rateLimited);
    else if (failed) closeFailed(connection, error, thrown.inAddress);
  }

  /** Counts the frame for its rate. A frame that cannot be read counts as a message. */
  function readFrame(connection: Connection, text: string, inAddress: boolean): unknown {
    let value: unknown;
    try {
      value = parseJson(text, { text: ["data.content"], root: "data" });
    } catch (error) {
      connection.takeCommand("message");
      throw error;
    }
    if (inAddress) return value;
    const { type } = (value ?? {}) as { type?: unknown };
    const isEditing = Object.hasOwn(kind.commands, String(type)) &&
      (type === "edit" || type === "cursor");
    connection.takeCommand(isEditing ? type : "message");
    return value;
  }

  return {
    name: kind.name,
    batching: false,
    follows: "asked",
    onOpen() {},
    authFrame: (credentials) => JSON.stringify({ ...IN_ADDRESS, ...credentials }),
    encodeError: (error) => writeError(error),
    encodeRefusals(error, frame) {
      const id = idIn(peek(frame));
      return id === undefined ? [] : [writeError(error, id)];
    },

    async onFrame(connection, text) {
      let id: CommandId | undefined;
      try {
        // Only as the first frame: a client can send the same text later.
        const inAddress = !started.has(connection) && text.startsWith(IN_ADDRESS_START);
        started.add(connection);
        const value = readFrame(connection, text, inAddress);
        const parsed = Frame.safeParse(value);
        if (!parsed.success) {
          id = idIn(value);
          const { message, fields } = invalid("the message", parsed.error);
          throw new ParleyError("bad_frame", message, fields === undefined ? {} : { fields });
        }
        id = parsed.data.id;
        await handle(connection, parsed.data);
      } catch (error) {
        answerError(connection, error, id ?? idIn(peek(text)));
      }
    },

    encode(event) {
      const { type, timestamp } = event;
      if (type === "reconnect") return write(type, event.data, undefined, timestamp);
      const encoded = kind.encode(event);
      return encoded === null ? null : write(encoded.type, encoded.data, undefined, timestamp);
    },
  };
}

/** An error of the first authentication, which closes the connection. */
class FailedAuthentication extends Error {
  constructor(readonly error: ParleyError, readonly inAddress: boolean) {
    super(error.message);
  }
}

/** Closes the connection, except where the client can retry with the same credentials. */
function closeFailed(connection: Connection, error: ParleyError, inAddress: boolean): void {
  switch (error.code) {
    case "unavailable":
    case "overloaded":
      // A URL cannot be sent again on the same connection.
      if (inAddress || connection.principal !== null) connection.close(closingFor(error.code));
      return;
    case "invalid":
      if (connection.principal !== null) connection.close(CLOSE.internal);
      return;
    case "internal":
      return connection.close(CLOSE.internal);
    case "token_expired":
      return connection.close(CLOSE.expired);
    default:
      connection.close(CLOSE.unauthorized);
  }
}
