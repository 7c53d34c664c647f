import { CLOSE } from "../protocol/close_codes.ts";
import { isBriefOutage, ParleyError } from "../protocol/errors.ts";
import { type Acks, MAX_PRESENCE } from "../protocol/native.ts";
import { originAllowed } from "../domain/visitors/origins.ts";
import type { Principal } from "../domain/principal.ts";
import type { Connection } from "./connection.ts";
import type { Credentials } from "./credentials.ts";
import { followOwn } from "./delivery.ts";
import type { ReportRefusal } from "./handshake_refusals.ts";
import type { Hub } from "./hub.ts";
import { logAuthenticated } from "./log.ts";
import type { PresenceTracker } from "./presence.ts";
import type { RefreshPrincipal } from "./principal_refresh.ts";
import { ROOMS } from "./rooms.ts";
import type { TimerWheel } from "./timer_wheel.ts";

export interface Authenticator {
  /** Starts the time within which the peer has to authenticate. */
  startDeadline(connection: Connection): void;
  /** Has to be called for each connection at least once in `expiryAheadMs`. */
  checkExpiry(connection: Connection): void;
  authenticate(connection: Connection, credentials: Credentials): Promise<Acks["auth"]>;
  /**
   * Authenticates by the token of an agent or of a participant. `authorize` decides what the
   * connection may be used for, and refuses by throwing, before the connection is authenticated.
   */
  authenticateFor<T>(
    connection: Connection,
    token: string,
    authorize: (principal: Principal) => Promise<T>,
  ): Promise<T>;
  /** @param check refuses a new token by throwing */
  refresh(
    connection: Connection,
    token: string,
    check?: (next: Principal) => void,
  ): Promise<Acks["refresh"]>;
}

export interface AuthenticatorOptions {
  reportRefusal: ReportRefusal;
  hub: Hub;
  wheel: TimerWheel;
  presence: PresenceTracker;
  agentByToken: (token: string) => Promise<Principal>;
  /** An agent's token, or a participant's. */
  principalByToken: (token: string) => Promise<Principal>;
  visitorBySession: (sessionId: string) => Promise<Principal>;
  /** A visitor's conversation, if there is one. */
  conversationOf: (contactId: string) => Promise<string | null>;
  /** The connection ends while it follows a conversation. */
  onLeave: (connection: Connection, conversationId: string) => void;
  totalUnread: (userId: string) => Promise<number>;
  /** For how long people can edit and withdraw their messages. */
  editWindowMs: () => Promise<number>;
  refreshPrincipal: RefreshPrincipal;
  /** Origins besides the server's own from which agents may connect. */
  agentOrigins: readonly string[];
  timeoutMs: number;
  tokenGraceMs: number;
  /** Credentials that expire later than in this many milliseconds have no timer yet. */
  expiryAheadMs: number;
  maxConnectionsPerUser: number;
  now?: () => number;
}

/** The part of the time to authenticate in which reads are retried while the database is away. */
const RETRY_SHARE = 0.6;
const RETRY_MS = 200;

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { hub, wheel, presence, now = Date.now } = options;
  /** Cancel the deadline of a connection or, once it is authenticated, the timer of its expiry. */
  const timers = new WeakMap<Connection, () => void>();

  function cancelTimer(connection: Connection): void {
    timers.get(connection)?.();
    timers.delete(connection);
  }

  function checkOrigin(connection: Connection, principal: Principal): void {
    const allowed = principal.kind === "agent" ? options.agentOrigins : principal.allowedOrigins;
    const from = { origin: connection.origin, self: connection.selfOrigin };
    if (originAllowed(from, allowed)) return;
    const { address, origin, protocol } = connection;
    options.reportRefusal({ reason: "origin", address, origin, path: protocol.name });
    throw new ParleyError(
      "origin_not_allowed",
      `Cannot authenticate: "${connection.origin}" is not an allowed origin`,
    );
  }

  /** When the credentials expire, the peer is informed and can refresh them within a grace. */
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

  /** The connection is authenticated from now on. */
  function accept(connection: Connection, found: Principal): void {
    // The peer may have disconnected, or a second auth in the same frame may have been faster.
    if (connection.isOver || connection.principal !== null) {
      throw new ParleyError("conflict", "Cannot authenticate: the connection is over");
    }
    const principal = options.refreshPrincipal(found);
    const wait = principal.kind === "agent" ? connection.slot.countByUser?.(principal.userId) : 0;
    if (wait) {
      throw new ParleyError("rate_limited", "Cannot authenticate: too many new connections", {
        retryAfter: wait,
        limit: "LIMIT_CONNECTIONS_PER_MINUTE",
      });
    }
    limitPerUser(connection, principal.userId);
    connection.principal = principal;
    connection.slot.release();
    watchExpiry(connection, principal);
    presence.add(connection);
    connection.cleanups.push(leaveAll);
    hub.join(connection, ROOMS.user(principal.userId));
    hub.join(connection, principal.kind === "agent" ? ROOMS.agents : ROOMS.visitors);
    logAuthenticated(connection);
  }

  /**
   * Retries while the database is away. If connections were refused instead, their clients would
   * reconnect with a backoff, long after the database is back.
   */
  async function retryWhileUnavailable<T>(
    connection: Connection,
    read: () => Promise<T>,
  ): Promise<T> {
    const deadline = performance.now() + options.timeoutMs * RETRY_SHARE;
    for (;;) {
      try {
        return await read();
      } catch (error) {
        if (!isBriefOutage(error) || connection.isOver || performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** Resolves when broadcasts of other nodes reach the connection. */
  async function roomsReady(connection: Connection): Promise<void> {
    const ready = hub.roomsReady(connection);
    if (ready !== null) await ready;
  }

  function refuseIfAuthenticated(connection: Connection): void {
    if (connection.principal !== null) {
      throw new ParleyError("conflict", "Cannot authenticate: this connection already is");
    }
  }

  return {
    startDeadline(connection) {
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

    checkExpiry(connection) {
      const { principal } = connection;
      if (principal !== null && !timers.has(connection)) watchExpiry(connection, principal);
    },

    async authenticate(connection, { token, sessionId, recovered }) {
      refuseIfAuthenticated(connection);
      const principal = recovered ?? await retryWhileUnavailable(
        connection,
        () =>
          token !== undefined
            ? options.agentByToken(token)
            : options.visitorBySession(sessionId ?? ""),
      );
      checkOrigin(connection, principal);
      const conversationId = principal.kind === "visitor"
        ? await retryWhileUnavailable(connection, () => options.conversationOf(principal.userId))
        : undefined;
      const totalUnread = principal.kind === "agent"
        ? await retryWhileUnavailable(connection, () => options.totalUnread(principal.userId))
        : undefined;
      const editWindowMs = await options.editWindowMs();
      accept(connection, principal);
      connection.ownConversation = conversationId ?? null;
      if (connection.protocol.follows === "everything") {
        if (principal.kind === "agent") hub.join(connection, ROOMS.messages);
        else if (conversationId) followOwn(hub, presence, connection, conversationId);
      }
      await roomsReady(connection);
      return {
        userId: principal.userId,
        userName: principal.userName,
        role: principal.kind,
        ...(conversationId === undefined ? {} : { conversationId }),
        ...(principal.kind === "visitor" && principal.appearance !== undefined
          ? { appearance: principal.appearance }
          : {}),
        ...(totalUnread === undefined ? {} : { totalUnread }),
        editWindowMs,
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

    async authenticateFor(connection, token, authorize) {
      refuseIfAuthenticated(connection);
      const principal = await retryWhileUnavailable(
        connection,
        () => options.principalByToken(token),
      );
      checkOrigin(connection, principal);
      const authorized = await retryWhileUnavailable(connection, () => authorize(principal));
      accept(connection, principal);
      await roomsReady(connection);
      return authorized;
    },

    async refresh(connection, token, check) {
      const current = connection.principal;
      if (current === null) {
        throw new ParleyError("unauthenticated", "Cannot refresh: authenticate first");
      }
      const isParticipant = current.kind === "visitor" && current.contexts !== undefined;
      const next = await (isParticipant ? options.principalByToken : options.agentByToken)(token);
      const isSame = next.kind === current.kind && next.userId === current.userId;
      if (!isSame || (current.kind === "visitor" && !isParticipant)) {
        throw new ParleyError("forbidden", "Cannot refresh: the token is somebody else's");
      }
      check?.(next);
      connection.principal = options.refreshPrincipal(next);
      watchExpiry(connection, next);
      return { expiresAt: next.expiresAt === null ? null : new Date(next.expiresAt).toISOString() };
    },
  };
}
