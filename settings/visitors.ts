/** Visitors' sessions, participants' tokens of an outside issuer, and the name of the bot. */
import { int, names, publicKey, setting, text, url } from "./define.ts";

export const visitors = {
  sessionMs: setting(
    "SESSION_MS",
    int(60_000, 31_536_000_000),
    "7776000000",
    "Life of a visitor's session that is not used (90 days)",
  ),
  jwksUrl: setting(
    "JWT_JWKS_URL",
    url(["https:", "http:"]),
    undefined,
    "Where an outside issuer of participants' tokens shows its keys (JWKS)",
  ),
  publicKey: setting(
    "JWT_PUBLIC_KEY",
    publicKey,
    undefined,
    "Or its one public key in PEM; line ends may be written as \\n",
    // A public key is no secret, but what is put here by mistake may be one.
    { secret: true },
  ),
  issuer: setting(
    "JWT_ISSUER",
    text(1, "must not be empty"),
    undefined,
    "What iss of such tokens must be",
  ),
  audience: setting(
    "JWT_AUDIENCE",
    text(1, "must not be empty"),
    undefined,
    "What aud of participants' tokens must have",
  ),
  anyContextIssuers: setting(
    "JWT_ANY_CONTEXT_ISSUERS",
    names,
    "",
    "Values of iss, with commas between, whose participants may enter any context where their token names none; * for every token that is good",
  ),
  botName: setting(
    "BOT_NAME",
    text(1, "must not be empty"),
    "Assistant",
    "Name under which context rules write to visitors",
  ),
};
