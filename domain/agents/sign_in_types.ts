/** The interface of sign-ins. */
import type { Db } from "../../db/database.ts";
import type { User } from "../../protocol/model.ts";
import type { SignInInfo } from "../../protocol/sign_ins.ts";
import type { Actor } from "../audit.ts";
import type { EventBus } from "../events.ts";
import type { Metrics } from "../metrics.ts";
import type { AgentPrincipal } from "../principal.ts";
import type { Attempts } from "./attempts.ts";
import type { Devices } from "./devices.ts";
import type { Passwords } from "./passwords.ts";
import type { AccessToken, Tokens } from "./tokens.ts";
import type { NewUser } from "./users.ts";

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
