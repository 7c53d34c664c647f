/** Who asks, and whether they may: sign-ins, participants' tokens, sessions, keys and origins. */
import { createAttempts } from "../domain/agents/attempts.ts";
import { createDevices } from "../domain/agents/devices.ts";
import type { Passwords } from "../domain/agents/passwords.ts";
import { createSignIn } from "../domain/agents/sign_in.ts";
import { createTokens, signingSecret } from "../domain/agents/tokens.ts";
import type { Principal } from "../domain/principal.ts";
import { createPrograms } from "../domain/programs/programs.ts";
import { KeyedLimiter } from "../domain/rate_limit.ts";
import { createOriginPolicy } from "../domain/visitors/origins.ts";
import {
  authenticateParticipant,
  createParticipantTokens,
  isAgentToken,
} from "../domain/visitors/participants.ts";
import { createSessionCheck } from "../domain/visitors/sessions.ts";
import { logKeysReadable, logKeysUnreadable } from "../process/logging.ts";
import { createPeerReader } from "../realtime/address.ts";
import type { Core } from "./core.ts";

export type Access = Awaited<ReturnType<typeof createAccess>>;

export async function createAccess(core: Core, passwords: Passwords) {
  const { settings: { server, signIn: limits, visitors, rates, onDeploy }, bus, metrics } = core;
  const { db } = core.database;
  const secret = await signingSecret(limits.jwtSecret, core.settings.database.dataDir);
  const attempts = createAttempts({
    perMinute: rates.logins,
    maxDelayMs: limits.maxDelayMs,
    maxDelayed: limits.maxDelayed,
  });
  const signIn = createSignIn({
    db,
    bus,
    tokens: createTokens(secret, limits.accessTokenMs),
    passwords,
    attempts,
    devices: createDevices(secret),
    metrics,
    key: secret,
    refreshLifeMs: limits.refreshTokenMs,
    maxLifeMs: limits.maxSignInMs,
    maxPerUser: limits.maxPerUser,
  });
  const participantTokens = createParticipantTokens({
    secret,
    jwksUrl: visitors.jwksUrl,
    publicKey: visitors.publicKey,
    issuer: visitors.issuer,
    audience: visitors.audience,
    anyContextIssuers: visitors.anyContextIssuers,
    onKeysUnreadable: logKeysUnreadable,
    onKeysReadable: logKeysReadable,
  });
  const renames = new KeyedLimiter(rates.renames);

  return {
    secret,
    passwords,
    signIn,
    participantTokens,
    renames,
    agentOrigins: server.frontendOrigins,
    originAllowed: createOriginPolicy(db, server.frontendOrigins),
    peer: createPeerReader(server.trustedProxies, {
      hosted: onDeploy,
      ownOrigin: server.publicUrl,
    }),
    agentByToken: (token: string): Promise<Principal> => signIn.authenticate(token),
    /** An agent's token, or a participant's. */
    principalByToken: (token: string): Promise<Principal> =>
      isAgentToken(token)
        ? signIn.authenticate(token)
        : authenticateParticipant(db, bus, participantTokens, token, renames),
    visitorBySession: createSessionCheck(db, { lifeMs: visitors.sessionMs }),
    programByKey: createPrograms(db, rates.apiRequests).authenticate,
    stop: () => attempts.stop(),
  };
}
