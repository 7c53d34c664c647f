/** Agents' sign-ins: the key of tokens, the first admin, how long a sign-in lasts, and passwords. */
import { Email } from "../protocol/text_fields.ts";
import { int, setting, text } from "./define.ts";

export const signIn = {
  jwtSecret: setting(
    "JWT_SECRET",
    text(32, "must have at least 32 characters"),
    undefined,
    "Key of access tokens (HS256); unset: generated once and stored in DATA_DIR",
    { secret: true },
  ),
  adminEmail: setting(
    "ADMIN_EMAIL",
    Email,
    undefined,
    "With ADMIN_PASSWORD: creates the first admin when there is no user",
  ),
  adminPassword: setting(
    "ADMIN_PASSWORD",
    text(10, "must have at least 10 characters"),
    undefined,
    "Password of the first admin",
    { secret: true },
  ),
  accessTokenMs: setting(
    "ACCESS_TOKEN_MS",
    int(1000, 86_400_000),
    "900000",
    "Lifetime of an access token",
  ),
  refreshTokenMs: setting(
    "REFRESH_TOKEN_MS",
    int(60_000, 31_536_000_000),
    "2592000000",
    "Lifetime of a sign-in that is not used (30 days)",
  ),
  maxSignInMs: setting(
    "MAX_SIGN_IN_MS",
    int(60_000, 31_536_000_000),
    "7776000000",
    "Maximum lifetime of a sign-in (90 days)",
  ),
  maxPerUser: setting(
    "MAX_SIGN_INS_PER_USER",
    int(1, 100_000),
    "500",
    "Open sign-ins of one user; a new one ends the one that was unused for longest",
  ),
  maxDelayMs: setting(
    "MAX_SIGN_IN_DELAY_MS",
    int(0, 60_000),
    "10000",
    "Longest delay of a sign-in to an account with many failures",
  ),
  maxDelayed: setting(
    "MAX_DELAYED_SIGN_INS",
    int(1, 100_000),
    "1000",
    "Delayed sign-ins at a time; further ones are refused with retryAfter",
  ),
  passwordsAtOnce: setting(
    "MAX_PASSWORDS_AT_ONCE",
    int(1, 64),
    "2",
    "Passwords hashed or compared at a time, each with 32 MB and a thread",
  ),
  pendingPasswords: setting(
    "MAX_PENDING_PASSWORDS",
    int(1, 10_000),
    "20",
    "Passwords that wait for this; further ones are refused with retryAfter",
  ),
};
