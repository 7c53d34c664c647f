import type { Db } from "../../db/database.ts";
import { Id, type User } from "../../protocol/model.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { SignInInfo } from "../../protocol/sign_ins.ts";
import { type Actor, audit } from "../audit.ts";
import type { EventBus } from "../events.ts";
import { createLoader } from "../loader.ts";
import type { Metrics } from "../metrics.ts";
import { TokenBucket } from "../rate_limit.ts";
import { hashSecret, newSecret } from "../secrets.ts";
import type { Attempts } from "./attempts.ts";
import type { Devices } from "./devices.ts";
import type { Passwords } from "./passwords.ts";
import {
  activeOf,
  auditEnded,
  endSignIns,
  insertSignIn,
  renew,
  signInsOf,
  type Which,
} from "./sign_in_storage.ts";
import type { AccessToken, Tokens } from "./tokens.ts";
import { isSetupCode } from "./setup_code.ts";
import {
  alreadySetUp,
  countUsers,
  createFirstAdmin,
  findUser,
  findUsers,
  type NewUser,
  toUser,
} from "./users.ts";
import type { AgentPrincipal } from "../principal.ts";

/** Failures a minute that each get an audit entry; the others are only counted. */
const AUDITED_PER_MINUTE = 120;

/** Whether a text may be an e-mail address. */
const ADDRESS = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

export interface SignedIn {
  user: User;
  access: AccessToken;
  refreshToken: string;
  /** Milliseconds since the epoch. */
  refreshExpiresAt: number;
  /** Identifies the browser at its next sign-in; only after a password. */
  device?: string;
}

export interface SignIn {
  /** @throws {ParleyError} `invalid_credentials`, `rate_limited`, `overloaded`. */
  login(input: { email: string; password: string }, from: Peer): Promise<SignedIn>;
  /**
   * Makes the first admin, once, and signs them in.
   *
   * @param code as printed by the server at its start; null: from this machine, without a code.
   * @throws {ParleyError} `already_set_up`, `rate_limited`, `overloaded`; `forbidden` for a wrong code.
   */
  setUp(user: Omit<NewUser, "role">, from: Peer, code: string | null): Promise<SignedIn>;
  /**
   * Rotates the refresh token. The old one is valid until the new one is used, and returns the same
   * new one: two tabs may refresh at once, and a response may be lost.
   *
   * @throws {ParleyError} `invalid_token`; a token whose successor was used ends the sign-in.
   */
  refresh(refreshToken: string, from: Peer): Promise<SignedIn>;
  /** Ends the sign-in that the token belongs to; unknown tokens are ignored. */
  logout(refreshToken: string, from: Peer): Promise<void>;
  /** The user of a refresh token, which is not rotated; null where it is not valid. */
  peek(refreshToken: string): Promise<User | null>;
  /** @throws {ParleyError} `invalid_token`, `token_expired`. */
  authenticate(accessToken: string): Promise<AgentPrincipal>;
  /**
   * A user's sign-ins, the last used first. `current`: the id of the caller's own.
   *
   * @throws {ParleyError} `not_found`
   */
  list(userId: string, current: string | null): Promise<SignInInfo[]>;
  /**
   * Ends one sign-in of a user, or all but one.
   *
   * @returns how many. @throws {ParleyError} `not_found` for an unknown user or sign-in.
   */
  end(
    by: Actor,
    userId: string,
    which: { id: string } | { except: string | null },
  ): Promise<number>;
}

export interface Peer {
  address: string;
  userAgent: string | null;
  /** The cookie that identifies the browser, see `Devices`. */
  device?: string | undefined;
}

export interface SignInOptions {
  db: Db;
  bus: EventBus;
  tokens: Tokens;
  /** The key of refresh tokens. */
  key: string;
  refreshLifeMs: number;
  /** After which a sign-in ends, even if it is used. */
  maxLifeMs: number;
  maxPerUser: number;
  passwords: Passwords;
  attempts: Attempts;
  devices: Devices;
  metrics: Pick<Metrics, "signIns">;
  now?: () => number;
}

export function createSignIn(options: SignInOptions): SignIn {
  const { db, bus, tokens, passwords, attempts, devices, metrics, now = Date.now } = options;
  const audited = new TokenBucket(AUDITED_PER_MINUTE, 60_000, now());
  let unlisted = 0;
  /** Once there is a user there always is one, so later requests need no query. */
  let isSetUp = false;

  const actorOf = (user: Pick<User, "id" | "name">, from: Peer): Actor => ({
    kind: "user",
    id: user.id,
    name: user.name,
    address: from.address,
    userAgent: from.userAgent,
  });

  function announceEnded(signInIds: string[]): void {
    for (const signInId of signInIds) bus.emit("sign_in.ended", { signInId });
  }

  /** null where the password was changed or the user disabled meanwhile. */
  async function start(userId: string, hash: string | null, from: Peer): Promise<SignedIn | null> {
    const refreshToken = newSecret();
    const refreshExpiresAt = now() + Math.min(options.refreshLifeMs, options.maxLifeMs);
    const started = await db.transaction().execute(async (trx) => {
      const row = await trx.selectFrom("users").selectAll().where("id", "=", userId).forShare()
        .executeTakeFirst();
      if (row === undefined || row.disabled_at !== null) return null;
      if (hash !== null && row.password_hash !== hash) return null;
      const user = toUser(row);
      const { id, ended } = await insertSignIn(trx, {
        userId,
        refreshToken,
        address: from.address,
        userAgent: userAgentOf(from),
        expiresAt: refreshExpiresAt,
        maxPerUser: options.maxPerUser,
        now: now(),
      });
      const actor = actorOf(user, from);
      await audit(trx, actor, {
        action: "sign_in.started",
        subject: user,
        data: { signInId: id },
      });
      await auditEnded(trx, actor, user, ended, "too_many");
      return { user, id, ended };
    });
    if (started === null) return null;
    announceEnded(started.ended);
    const { user, id } = started;
    const access = await tokens.issue(user.id, user.role, id);
    const device = devices.remember(from.device, user.id);
    return { user, access, refreshToken, refreshExpiresAt, device };
  }

  async function failed(email: string, userId: string | null, from: Peer): Promise<never> {
    metrics.signIns.inc({ outcome: "failed" });
    if (audited.take(now()) > 0) unlisted++;
    else {
      const others = unlisted;
      unlisted = 0;
      const nobody = { kind: "nobody", id: null, name: null } as const;
      await audit(db, { ...nobody, address: from.address, userAgent: from.userAgent }, {
        action: "sign_in.failed",
        // People sometimes type their password into the field of the address.
        subject: { id: userId, name: ADDRESS.test(email) ? email : null },
        result: "refused",
        data: others > 0 ? { notListed: others } : {},
      });
    }
    throw new ParleyError(
      "invalid_credentials",
      "Cannot sign in: e-mail address or password is wrong",
    );
  }

  async function endOf(
    by: (user: User) => Actor,
    userId: string,
    which: Which,
    reason: "ended" | "signed_out" | "reused",
  ): Promise<string[]> {
    const ids = await db.transaction().execute(async (trx) => {
      const row = await trx.selectFrom("users").selectAll().where("id", "=", userId).forShare()
        .executeTakeFirst();
      if (row === undefined) {
        throw new ParleyError("not_found", `Cannot find the user "${userId}"`);
      }
      const ended = await endSignIns(trx, which, reason, now());
      const user = toUser(row);
      await auditEnded(trx, by(user), user, ended, reason);
      return ended;
    });
    announceEnded(ids);
    return ids;
  }

  async function find(refreshToken: string) {
    return await db.selectFrom("refresh_tokens as token")
      .innerJoin("sign_ins", "sign_ins.id", "token.family_id")
      .select(["token.user_id", "token.family_id", "token.used_at", "token.expires_at"])
      .select((eb) =>
        eb.selectFrom("refresh_tokens as next").select("next.id")
          .whereRef("next.parent_id", "=", "token.id").where("next.used_at", "is", null)
          .limit(1).as("unused_successor")
      )
      .where("token.token_hash", "=", await hashSecret(refreshToken))
      .where("sign_ins.ended_at", "is", null).executeTakeFirst();
  }

  const userById = createLoader((ids: string[]) => findUsers(db, ids));
  const isActive = createLoader((signInIds: string[]) => activeOf(db, signInIds, now()));

  return {
    async login({ email, password }, from) {
      const row = await db.selectFrom("users").select(["id", "password_hash", "disabled_at"])
        .where("email", "=", email).executeTakeFirst();
      const device = row === undefined ? null : devices.knownAs(from.device, row.id);
      let matches: boolean;
      let clear: () => void;
      try {
        clear = await attempts.begin({ account: email, address: from.address, device });
      } catch (error) {
        metrics.signIns.inc({ outcome: "refused" });
        throw error;
      }
      try {
        matches = row === undefined
          ? await passwords.verifyNothing(password)
          : await passwords.verify(password, row.password_hash, device !== null);
      } catch (error) {
        // The password was not checked.
        clear();
        metrics.signIns.inc({ outcome: "refused" });
        throw error;
      }
      if (row === undefined || !matches || row.disabled_at !== null) {
        return await failed(email, row?.id ?? null, from);
      }
      const signedIn = await start(row.id, row.password_hash, from);
      if (signedIn === null) return await failed(email, row.id, from);
      clear();
      metrics.signIns.inc({ outcome: "succeeded" });
      return signedIn;
    },

    async setUp(admin, from, code) {
      try {
        if (isSetUp) throw alreadySetUp();
        attempts.take(from.address);
        if (code !== null && !isSetupCode(options.key, code)) {
          // Once it is set up, that is the error, and not a wrong code.
          if (await countUsers(db) > 0) throw alreadySetUp();
          const message = "enter the code that the server printed at its start";
          throw new ParleyError("forbidden", `Cannot set up: ${message}`, {
            fields: [{ path: "code", message }],
          });
        }
        const user = await createFirstAdmin(db, admin, passwords, from);
        isSetUp = true;
        return (await start(user.id, null, from))!;
      } catch (error) {
        if (error instanceof ParleyError && error.code === "already_set_up") isSetUp = true;
        throw error;
      }
    },

    async refresh(refreshToken, from) {
      const renewal = await db.transaction().execute((trx) =>
        renew(trx, {
          refreshToken,
          key: options.key,
          lifeMs: options.refreshLifeMs,
          maxLifeMs: options.maxLifeMs,
          address: from.address,
          userAgent: userAgentOf(from),
          now: now(),
        })
      );
      if (renewal.kind === "renewed") {
        const user = toUser(renewal.user);
        const access = await tokens.issue(user.id, user.role, renewal.signIn.id);
        const { expiresAt } = renewal;
        return {
          user,
          access,
          refreshToken: renewal.refreshToken,
          refreshExpiresAt: expiresAt,
        };
      }
      if (renewal.kind === "reused") {
        metrics.signIns.inc({ outcome: "reused" });
        const { user, signInId } = renewal;
        const nobody = { kind: "nobody", id: null, name: null } as const;
        const by = { ...nobody, address: from.address, userAgent: from.userAgent };
        await endOf(() => by, user.id, { ids: [signInId] }, "reused");
      }
      throw new ParleyError("invalid_token", "Cannot refresh: sign in again");
    },

    async logout(refreshToken, from) {
      const token = await find(refreshToken);
      if (token === undefined) return;
      const which = { ids: [token.family_id] };
      await endOf((user) => actorOf(user, from), token.user_id, which, "signed_out");
    },

    async peek(refreshToken) {
      const token = await find(refreshToken);
      if (token === undefined || token.expires_at.getTime() <= now()) return null;
      if (token.used_at !== null && token.unused_successor === null) return null;
      const user = await findUser(db, token.user_id);
      return user?.disabledAt === null ? user : null;
    },

    async authenticate(accessToken) {
      const claims = await tokens.verify(accessToken);
      const userId = Id.safeParse(claims.userId);
      const signInId = Id.safeParse(claims.signInId);
      if (!userId.success || !signInId.success) {
        throw new ParleyError("invalid_token", "Cannot authenticate: the token is not valid");
      }
      const [user, active] = await Promise.all([userById(userId.data), isActive(signInId.data)]);
      if (!active) {
        throw new ParleyError("invalid_token", "Cannot authenticate: the sign-in has ended");
      }
      if (user === null || user.disabledAt !== null) {
        throw new ParleyError("invalid_token", "Cannot authenticate: the user is not active");
      }
      return {
        kind: "agent",
        userId: user.id,
        userName: user.name,
        email: user.email,
        role: user.role,
        tokenId: claims.tokenId,
        signInId: signInId.data,
        expiresAt: claims.expiresAt,
      };
    },

    async list(userId, current) {
      if (await findUser(db, userId) === null) {
        throw new ParleyError("not_found", `Cannot find the user "${userId}"`);
      }
      const rows = await signInsOf(db, userId, now());
      return rows.map((row) => ({
        id: row.id,
        userAgent: row.user_agent,
        address: row.address,
        createdAt: row.created_at.toISOString(),
        lastUsedAt: row.last_used_at.toISOString(),
        expiresAt: row.expires_at.toISOString(),
        current: row.id === current,
      }));
    },

    async end(by, userId, which) {
      const rows: Which = "id" in which
        ? { ids: [which.id], userId }
        : { userId, except: which.except };
      const ended = await endOf(() => by, userId, rows, "ended");
      if ("id" in which && ended.length === 0) {
        throw new ParleyError("not_found", `Cannot find the sign-in "${which.id}"`);
      }
      return ended.length;
    },
  };
}

function userAgentOf(from: Peer): string | null {
  return from.userAgent?.slice(0, 300) ?? null;
}
