/**
 * Tokens of participants: JWTs that the website's own backend signed with JWT_SECRET, that an outside
 * issuer signed, or that Parley issued for an admin.
 */
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { ContextId, ExternalId } from "../../protocol/contexts.ts";
import { fieldErrors, ParleyError } from "../../protocol/errors.ts";
import { cleanName, isVisible } from "../../protocol/visible_text.ts";
import { newSecret } from "../secrets.ts";
import {
  createOutsideIssuer,
  type OutsideIssuerOptions,
  type TrustedKeys,
} from "./outside_issuer.ts";

/** The `iss` of tokens that Parley issues. */
export const ISSUER = "parley";
const MAX_CONTEXTS = 100;
const MAX_NAME = 100;
/** The end of the year 9999, the last year of four digits in ISO 8601. */
const MAX_EXP = 253_402_300_799;

/** Courses and rooms often have numbers for names. */
const OneContext = z.union([z.number().int().transform(String), z.string()]).pipe(ContextId);

/** Required and optional claims of a participant's token; others are ignored. */
const Claims = z.object({
  sub: ExternalId,
  contexts: z.array(ContextId).min(1).max(MAX_CONTEXTS).optional(),
  contextId: OneContext.optional(),
  context_id: OneContext.optional(),
  iss: z.string().optional().catch(undefined),
  exp: z.number().max(MAX_EXP),
  jti: z.string().max(200).optional().catch(undefined),
  name: z.unknown().optional(),
  username: z.unknown().optional(),
});

export interface ParticipantClaims {
  externalId: string;
  name: string | undefined;
  /** null: any context, for an issuer that is trusted with it. */
  contexts: string[] | null;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  tokenId: string | null;
}

export interface ParticipantTokens {
  /** @throws {ParleyError} `token_expired`, `invalid_token`, `unavailable` without the issuer's keys. */
  verify(token: string): Promise<ParticipantClaims>;
  /** Issues a token for one context and `lifeMs` milliseconds. */
  issue(
    person: { externalId: string; name: string | undefined },
    contextId: string,
    lifeMs: number,
  ): Promise<{ token: string; expiresAt: number }>;
}

export interface ParticipantTokensOptions extends OutsideIssuerOptions {
  /** Key of HS256, also that of agents' tokens. */
  secret: string;
  /** Required values of `iss` and `aud`, where they are set. */
  issuer?: string | undefined;
  audience?: string | undefined;
  /** Values of `iss` whose tokens may enter any context if they name none; "*": all. */
  anyContextIssuers?: readonly string[] | undefined;
  now?: () => number;
}

/** @throws {TypeError} where the outside issuer's key cannot be used. */
export function createParticipantTokens(options: ParticipantTokensOptions): ParticipantTokens {
  const { issuer, audience, now = Date.now } = options;
  const secret = new TextEncoder().encode(options.secret);
  const own: TrustedKeys = { key: () => secret, algorithms: ["HS256"] };
  const outside = createOutsideIssuer(options);

  /** Chosen by the algorithm, so that a key is never used with another algorithm. */
  function trustedFor(token: string): TrustedKeys {
    let alg: string | undefined;
    try {
      alg = decodeProtectedHeader(token).alg;
    } catch (cause) {
      throw refused("it is not a JWT", cause);
    }
    const trusted = [own, outside].find((one) => one?.algorithms.includes(alg ?? ""));
    if (trusted === undefined || trusted === null) {
      throw refused(`its algorithm is "${alg}", which is not accepted here`);
    }
    return trusted;
  }

  function isTrusted(iss: string | undefined): boolean {
    const trusted = options.anyContextIssuers ?? [];
    return trusted.includes("*") || (iss !== undefined && trusted.includes(iss));
  }

  return {
    async verify(token) {
      const { key, algorithms } = trustedFor(token);
      let payload: JWTPayload;
      try {
        ({ payload } = await jwtVerify(token, key, {
          algorithms,
          requiredClaims: ["exp", "sub"],
          ...(issuer === undefined
            ? {}
            : { issuer: algorithms === own.algorithms ? [issuer, ISSUER] : issuer }),
          ...(audience === undefined ? {} : { audience }),
          currentDate: new Date(now()),
        }));
      } catch (cause) {
        throw toRefusal(cause);
      }
      const claims = Claims.safeParse(payload);
      if (!claims.success) {
        const { path, message } = fieldErrors(claims.error)[0]!;
        throw refused(`its claim "${path}" ${message}`);
      }
      const { sub, exp, jti = null, name, username } = claims.data;
      const contexts = contextsIn(claims.data);
      if (contexts.length === 0 && !isTrusted(claims.data.iss)) {
        throw refused('its claim "contexts" is missing, and so are "contextId" and "context_id"');
      }
      return {
        externalId: sub,
        name: readName(name) ?? readName(username),
        contexts: contexts.length === 0 ? null : contexts,
        expiresAt: exp * 1000,
        tokenId: jti,
      };
    },

    async issue({ externalId, name }, contextId, lifeMs) {
      const exp = Math.floor((now() + lifeMs) / 1000);
      const claims = {
        contexts: [contextId],
        ...(name === undefined ? {} : { name }),
        ...(audience === undefined ? {} : { aud: audience }),
      };
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: "HS256", typ: "JWT" })
        .setSubject(externalId).setIssuer(ISSUER).setIssuedAt(Math.floor(now() / 1000))
        .setExpirationTime(exp).setJti(newSecret(12))
        .sign(secret);
      return { token, expiresAt: exp * 1000 };
    },
  };
}

/** All contexts of a token, from all claims. */
function contextsIn({ contexts = [], contextId, context_id }: z.infer<typeof Claims>): string[] {
  const single = [contextId, context_id].filter((name) => name !== undefined);
  return [...new Set([...contexts, ...single])];
}

function refused(why: string, cause?: unknown): ParleyError {
  return new ParleyError("invalid_token", `Cannot authenticate: the token is not valid: ${why}`, {
    cause,
  });
}

function toRefusal(error: unknown): ParleyError {
  if (error instanceof ParleyError) return error;
  if (error instanceof errors.JWTExpired) {
    return new ParleyError("token_expired", "Cannot authenticate: the token has expired");
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refused(
      error.reason === "missing"
        ? `its claim "${error.claim}" is missing`
        : `its claim "${error.claim}" does not fit`,
      error,
    );
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return refused("its signature does not verify", error);
  }
  return refused("it cannot be verified", error);
}

/** A name as people may see it: one line, bounded. undefined for what is none. */
function readName(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const name = cleanName(cleanName(value).slice(0, MAX_NAME));
  return isVisible(name) ? name : undefined;
}
