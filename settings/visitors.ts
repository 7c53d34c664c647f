/** Visitors' sessions, participants' tokens of an outside issuer, and the name of the bot. */
import { int, names, publicKey, setting, text, url } from "./define.ts";

export const visitors = {
  sessionMs: setting(
    "SESSION_MS",
    int(60_000, 31_536_000_000),
    "7776000000",
    "Lifetime of a visitor's session that is not used (90 days)",
  ),
  jwksUrl: setting(
    "JWT_JWKS_URL",
    url(["https:", "http:"]),
    undefined,
    "URL of the keys (JWKS) of an outside issuer of participants' tokens",
  ),
  publicKey: setting(
    "JWT_PUBLIC_KEY",
    publicKey,
    undefined,
    "Alternatively its single public key in PEM; line ends may be written as \\n",
    // A public key is no secret, but what is put here by mistake may be one.
    { secret: true },
  ),
  issuer: setting(
    "JWT_ISSUER",
    text(1, "must not be empty"),
    undefined,
    "Required iss of such tokens",
  ),
  audience: setting(
    "JWT_AUDIENCE",
    text(1, "must not be empty"),
    undefined,
    "Required aud of participants' tokens",
  ),
  anyContextIssuers: setting(
    "JWT_ANY_CONTEXT_ISSUERS",
    names,
    "",
    "Values of iss, separated by commas, whose participants may enter any context if their token names none; *: every valid token",
  ),
  botName: setting(
    "BOT_NAME",
    text(1, "must not be empty"),
    "Assistant",
    "Name of the bot that writes to visitors by context rules",
  ),
};
