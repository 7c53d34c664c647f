import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { Id, type User } from "../../protocol/model.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { EventBus } from "../events.ts";
import { createLoader } from "../loader.ts";
import { hashSecret, newSecret } from "../secrets.ts";
import type { Attempts } from "./attempts.ts";
import type { Passwords } from "./passwords.ts";
import type { AccessToken, Tokens } from "./tokens.ts";
import {
  alreadySetUp,
  createFirstAdmin,
  findUser,
  findUsers,
  type NewUser,
  toUser,
} from "./users.ts";
import type { AgentPrincipal } from "../principal.ts";

/**
 * Two tabs may send the same refresh token at the same moment, and an answer may be lost on the
 * way: within this time after its first use a token is not taken for stolen.
 */
const REUSE_GRACE_MS = 10_000;

/** How long a used token is remembered, so that its reuse is noticed. */
const KEEP_USED_MS = 86_400_000;

export interface SignedIn {
  user: User;
  access: AccessToken;
  refreshToken: string;
  /** Milliseconds since the epoch. */
  refreshExpiresAt: number;
}

export interface SignIn {
  /** @throws {ParleyError} `invalid_credentials` or `rate_limited`. */
  login(input: { email: string; password: string }, from: Peer): Promise<SignedIn>;
  /**
   * Makes the first admin, once, and signs them in.
   *
   * @throws {ParleyError} `already_set_up`, `rate_limited`, `overloaded`.
   */
  setUp(user: Omit<NewUser, "role">, from: Peer): Promise<SignedIn>;
  /** Rotates. @throws {ParleyError} `invalid_token`; reuse of a rotated token ends its family. */
  refresh(refreshToken: string, from: Peer): Promise<SignedIn>;
  /** Ends the sign-in that the token belongs to; unknown tokens are ignored. */
  logout(refreshToken: string): Promise<void>;
  /** Who a refresh token belongs to, without rotating it; null when it is not good. */
  peek(refreshToken: string): Promise<User | null>;
  /** @throws {ParleyError} `invalid_token`, `token_expired`. */
  authenticate(accessToken: string): Promise<AgentPrincipal>;
}

export interface Peer {
  address: string;
  userAgent: string | null;
}

export interface SignInOptions {
  db: Db;
  bus: EventBus;
  tokens: Tokens;
  refreshLifeMs: number;
  passwords: Passwords;
  attempts: Attempts;
  now?: () => number;
}

export function createSignIn(options: SignInOptions): SignIn {
  const { db, bus, tokens, passwords, attempts, refreshLifeMs, now = Date.now } = options;
  /** There is a user, and there will always be one: asking again costs nothing. */
  let isSetUp = false;

  async function issue(user: User, familyId: string, from: Peer): Promise<SignedIn> {
    const refreshToken = newSecret();
    const refreshExpiresAt = now() + refreshLifeMs;
    await db.deleteFrom("refresh_tokens").where("user_id", "=", user.id)
      .where((eb) =>
        eb.or([
          eb("expires_at", "<", new Date(now())),
          eb("used_at", "<", new Date(now() - KEEP_USED_MS)),
        ])
      ).execute();
    await db.insertInto("refresh_tokens").values({
      id: uuidv7(),
      user_id: user.id,
      family_id: familyId,
      token_hash: await hashSecret(refreshToken),
      user_agent: from.userAgent?.slice(0, 300) ?? null,
      expires_at: new Date(refreshExpiresAt),
    }).execute();
    const access = await tokens.issue(user.id, user.role, familyId);
    return { user, access, refreshToken, refreshExpiresAt };
  }

  async function endFamily(familyId: string): Promise<void> {
    await db.updateTable("refresh_tokens").set({ revoked_at: new Date(now()) })
      .where("family_id", "=", familyId).where("revoked_at", "is", null).execute();
    bus.emit("sign_in.ended", { signInId: familyId });
  }

  async function find(refreshToken: string) {
    return await db.selectFrom("refresh_tokens").selectAll()
      .where("token_hash", "=", await hashSecret(refreshToken)).executeTakeFirst();
  }

  const userById = createLoader((ids: string[]) => findUsers(db, ids));
  const isAlive = createLoader((signInIds: string[]) => aliveOf(db, signInIds));

  return {
    async login({ email, password }, from) {
      const good = await attempts.begin({ account: email, address: from.address, device: null });
      const row = await db.selectFrom("users").selectAll().where("email", "=", email)
        .executeTakeFirst();
      const matches = row === undefined
        ? await passwords.verifyNothing(password)
        : await passwords.verify(password, row.password_hash);
      if (row === undefined || !matches || row.disabled_at !== null) {
        throw new ParleyError(
          "invalid_credentials",
          "Cannot sign in: e-mail address or password is wrong",
        );
      }
      good();
      return await issue(toUser(row), uuidv7(), from);
    },

    async setUp(admin, from) {
      try {
        if (isSetUp) throw alreadySetUp();
        attempts.take(from.address);
        const user = await createFirstAdmin(db, admin, passwords);
        isSetUp = true;
        return await issue(user, uuidv7(), from);
      } catch (error) {
        if (error instanceof ParleyError && error.code === "already_set_up") isSetUp = true;
        throw error;
      }
    },

    async refresh(refreshToken, from) {
      const row = await find(refreshToken);
      const refuse = () => new ParleyError("invalid_token", "Cannot refresh: sign in again");
      if (row === undefined || row.revoked_at !== null || row.expires_at.getTime() <= now()) {
        throw refuse();
      }
      if (row.used_at !== null && now() - row.used_at.getTime() > REUSE_GRACE_MS) {
        await endFamily(row.family_id);
        throw refuse();
      }
      const user = await findUser(db, row.user_id);
      if (user === null || user.disabledAt !== null) throw refuse();
      await db.updateTable("refresh_tokens").set({ used_at: new Date(now()) })
        .where("id", "=", row.id).where("used_at", "is", null).execute();
      return await issue(user, row.family_id, from);
    },

    async logout(refreshToken) {
      const row = await find(refreshToken);
      if (row === undefined) return;
      await endFamily(row.family_id);
    },

    async peek(refreshToken) {
      const row = await find(refreshToken);
      if (row === undefined || row.revoked_at !== null || row.expires_at.getTime() <= now()) {
        return null;
      }
      if (row.used_at !== null && now() - row.used_at.getTime() > REUSE_GRACE_MS) return null;
      const user = await findUser(db, row.user_id);
      return user?.disabledAt === null ? user : null;
    },

    async authenticate(accessToken) {
      const claims = await tokens.verify(accessToken);
      const userId = Id.safeParse(claims.userId);
      const signInId = Id.safeParse(claims.signInId);
      if (!userId.success || !signInId.success) {
        throw new ParleyError("invalid_token", "Cannot authenticate: the token is not valid");
      }
      const [user, alive] = await Promise.all([userById(userId.data), isAlive(signInId.data)]);
      if (!alive) {
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
  };
}

/** Whether each of these sign-ins goes on. */
async function aliveOf(db: Db, signInIds: string[]): Promise<boolean[]> {
  const rows = await db.selectFrom("refresh_tokens").select("family_id").distinct()
    .where(sql<boolean>`family_id = any(${signInIds}::uuid[])`).where("revoked_at", "is", null)
    .execute();
  const alive = new Set(rows.map((row) => row.family_id));
  return signInIds.map((id) => alive.has(id));
}
