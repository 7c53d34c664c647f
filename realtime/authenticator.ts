import { CLOSE } from "../protocol/close_codes.ts";
import { isBriefOutage, ParleyError } from "../protocol/errors.ts";
import { type Acks, MAX_PRESENCE } from "../protocol/native.ts";
import { originAllowed } from "../domain/visitors/origins.ts";
import type { Principal } from "../domain/principal.ts";
import type { Connection } from "./connection.ts";
import { followOwn } from "./delivery.ts";
import type { TellRefused } from "./handshake_refusals.ts";
import type { Hub } from "./hub.ts";
import type { LetIn } from "./rights.ts";
import { logAuthenticated } from "./log.ts";
import type { PresenceTracker } from "./presence.ts";
import { ROOMS } from "./rooms.ts";
import type { TimerWheel } from "./timer_wheel.ts";

export interface Credentials {
  token?: string | undefined;
  sessionId?: string | undefined;
  /** Of protocols that are cut to one context: which one, and what was last seen of it. */
  contextId?: string | undefined;
  lastSeq?: string | undefined;
  epoch?: string | undefined;
  /** Of a connection that goes on where another one was cut: who that was. */
  recovered?: Principal | undefined;
}

export interface Authenticator {
  /** Starts the deadline within which the peer has to authenticate. */
  expect(connection: Connection): void;
  /** To be called for each connection more often than once in `expiryAheadMs`. */
  beat(connection: Connection): void;
  authenticate(connection: Connection, credentials: Credentials): Promise<Acks["auth"]>;
  /**
   * By the token of an agent or of a participant. `enter` decides what of it this connection is
   * for, and refuses by throwing, before anything is known of the connection.
   */
  admit<T>(
    connection: Connection,
    token: string,
    enter: (principal: Principal) => Promise<T>,
  ): Promise<T>;
  /** @param may refuses a new token by throwing. */
  refresh(
    connection: Connection,
    token: string,
    may?: (next: Principal) => void,
  ): Promise<Acks["refresh"]>;
}

export interface AuthenticatorOptions {
  tellRefused: TellRefused;
  hub: Hub;
  wheel: TimerWheel;
  presence: PresenceTracker;
  agentByToken: (token: string) => Promise<Principal>;
  /** An agent's token, or a participant's. */
  principalByToken: (token: string) => Promise<Principal>;
  visitorBySession: (sessionId: string) => Promise<Principal>;
  /** A visitor's own conversation, if there is one. */
  conversationOf: (contactId: string) => Promise<string | null>;
  /** The connection ends while it follows a conversation. */
  onLeave: (connection: Connection, conversationId: string) => void;
  totalUnread: (userId: string) => Promise<number>;
  letIn: LetIn;
  /** Origins besides the server's own that agents may come from. */
  agentOrigins: readonly string[];
  timeoutMs: number;
  tokenGraceMs: number;
  /** Credentials that end later than in so many milliseconds have no timer yet. */
  expiryAheadMs: number;
  maxConnectionsPerUser: number;
  now?: () => number;
}

/** Part of the time to authenticate in which a database that is away is waited for. */
const PATIENCE = 0.6;
/** Milliseconds between two looks at it. */
const LOOK_MS = 200;
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { hub, wheel, presence, now = Date.now } = options;
  /** What cancels the deadline of a connection or, once it is authenticated, the end of its time. */
  const timers = new WeakMap<Connection, () => void>();

  function cancelTimer(connection: Connection): void {
    timers.get(connection)?.();
    timers.delete(connection);
  }

  function check(connection: Connection, principal: Principal): void {
    const allowed = principal.kind === "agent" ? options.agentOrigins : principal.allowedOrigins;
    const from = { origin: connection.origin, self: connection.selfOrigin };
    if (originAllowed(from, allowed)) return;
    const { address, origin, protocol } = connection;
    options.tellRefused({ reason: "origin", address, origin, path: protocol.name });
    throw new ParleyError(
      "origin_not_allowed",
      `Cannot authenticate: "${connection.origin}" is not an allowed origin`,
    );
  }

  /** When the credentials end, the peer is told, has a grace to refresh, and is then sent away. */
  function watchExpiry(connection: Connection, principal: Principal): void {
    cancelTimer(connection);
    const left = (principal.expiresAt ?? Infinity) - now();
    if (left > options.expiryAheadMs) return;
    timers.set(
      connection,
      wheel.after(Math.max(0, left), () => {
        connection.fail(
          new ParleyError("token_expired", "The token has expired: refresh it to go on", {
            retryAfter: options.tokenGraceMs,
          }),
        );
        const grace = wheel.after(options.tokenGraceMs, () => connection.close(CLOSE.expired));
        timers.set(connection, grace);
      }),
    );
  }

  function limitPerUser(connection: Connection, userId: string): void {
    const others = hub.members(ROOMS.user(userId));
    if (others.size < options.maxConnectionsPerUser) return;
    for (const oldest of others) {
      if (oldest === connection) continue;
      oldest.fail(
        new ParleyError(
          "too_many_connections",
          `Cannot keep the connection: ${options.maxConnectionsPerUser} newer ones of this user are open`,
          { limit: "MAX_CONNECTIONS_PER_USER" },
        ),
        CLOSE.tooManyConnections,
      );
      return;
    }
  }

  function leaveAll(connection: Connection): void {
    for (const id of [...connection.conversations]) options.onLeave(connection, id);
  }

  /** From here on the connection is the principal's, with all that follows from it. */
  function accept(connection: Connection, found: Principal): void {
    // The peer may have gone, or a second auth of the same frame may have come first.
    if (connection.isOver || connection.principal !== null) {
      throw new ParleyError("conflict", "Cannot authenticate: the connection is over");
    }
    const principal = options.letIn(found);
    limitPerUser(connection, principal.userId);
    connection.principal = principal;
    connection.slot.release();
    watchExpiry(connection, principal);
    presence.enter(connection);
    connection.cleanups.push(leaveAll);
    hub.join(connection, ROOMS.user(principal.userId));
    hub.join(connection, principal.kind === "agent" ? ROOMS.agents : ROOMS.visitors);
    logAuthenticated(connection);
  }

  /**
   * Who comes while the database is away has just lost a connection or opened a page. Sent away, all
   * of them would come back at their own moments, long after it is there again.
   */
  async function patiently<T>(connection: Connection, read: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + options.timeoutMs * PATIENCE;
    for (;;) {
      try {
        return await read();
      } catch (error) {
        if (!isBriefOutage(error) || connection.isOver || performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    }
  }

  /** From here on what happens on other nodes reaches the connection. */
  async function heard(connection: Connection): Promise<void> {
    const settled = hub.settled(connection);
    if (settled !== null) await settled;
  }

  function refuseTwice(connection: Connection): void {
    if (connection.principal !== null) {
      throw new ParleyError("conflict", "Cannot authenticate: this connection already is");
    }
  }

  return {
    expect(connection) {
      const cancel = wheel.after(options.timeoutMs, () => {
        if (connection.principal !== null) return;
        connection.fail(
          new ParleyError(
            "auth_timeout",
            `Cannot go on: no authentication within ${options.timeoutMs} ms`,
            { limit: "AUTH_TIMEOUT_MS" },
          ),
        );
      });
      timers.set(connection, cancel);
      connection.cleanups.push(cancelTimer);
    },

    beat(connection) {
      const { principal } = connection;
      if (principal !== null && !timers.has(connection)) watchExpiry(connection, principal);
    },

    async authenticate(connection, { token, sessionId, recovered }) {
      refuseTwice(connection);
      const principal = recovered ?? await patiently(
        connection,
        () =>
          token !== undefined
            ? options.agentByToken(token)
            : options.visitorBySession(sessionId ?? ""),
      );
      check(connection, principal);
      const conversationId = principal.kind === "visitor"
        ? await patiently(connection, () => options.conversationOf(principal.userId))
        : undefined;
      const totalUnread = principal.kind === "agent"
        ? await patiently(connection, () => options.totalUnread(principal.userId))
        : undefined;
      accept(connection, principal);
      connection.ownConversation = conversationId ?? null;
      if (connection.protocol.follows === "everything") {
        if (principal.kind === "agent") hub.join(connection, ROOMS.messages);
        else if (conversationId) followOwn(hub, presence, connection, conversationId);
      }
      await heard(connection);
      return {
        userId: principal.userId,
        userName: principal.userName,
        role: principal.kind,
        ...(conversationId === undefined ? {} : { conversationId }),
        ...(principal.kind === "visitor" && principal.appearance !== undefined
          ? { appearance: principal.appearance }
          : {}),
        ...(totalUnread === undefined ? {} : { totalUnread }),
        ...presence.page({
          limit: MAX_PRESENCE,
          role: principal.kind === "agent" ? undefined : "agent",
        }),
        online: principal.kind === "agent" ? presence.count() : { agents: presence.count().agents },
        expiresAt: principal.expiresAt === null
          ? null
          : new Date(principal.expiresAt).toISOString(),
      };
    },

    async admit(connection, token, enter) {
      refuseTwice(connection);
      const principal = await patiently(connection, () => options.principalByToken(token));
      check(connection, principal);
      const entered = await patiently(connection, () => enter(principal));
      accept(connection, principal);
      await heard(connection);
      return entered;
    },

    async refresh(connection, token, may) {
      const current = connection.principal;
      if (current === null) {
        throw new ParleyError("unauthenticated", "Cannot refresh: authenticate first");
      }
      const participant = current.kind === "visitor" && current.contexts !== undefined;
      const next = await (participant ? options.principalByToken : options.agentByToken)(token);
      const same = next.kind === current.kind && next.userId === current.userId;
      if (!same || (current.kind === "visitor" && !participant)) {
        throw new ParleyError("forbidden", "Cannot refresh: the token is somebody else's");
      }
      may?.(next);
      connection.principal = options.letIn(next);
      watchExpiry(connection, next);
      return { expiresAt: next.expiresAt === null ? null : new Date(next.expiresAt).toISOString() };
    },
  };
}
