/**
 * Participants: people of a website who share contexts. Each brings a JWT that the website's own
 * backend signed with JWT_SECRET, that an outside issuer signed, or that Parley made for an admin.
 */
import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type FetchImplementation,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
  SignJWT,
} from "jose";
import { SpanKind } from "@opentelemetry/api";
import { z } from "zod";
import type { Db } from "../../db/database.ts";
import { ContextId, ExternalId } from "../../protocol/contexts.ts";
import { fieldErrors, ParleyError } from "../../protocol/errors.ts";
import type { EventBus } from "../events.ts";
import type { VisitorPrincipal } from "../principal.ts";
import { newSecret } from "../secrets.ts";
import { tracing } from "../tracing.ts";
import { findOrCreateByIdentity, type Renames, updateContact } from "./contacts.ts";
import { CURVES, EDWARDS, readPublicKey, RSA } from "./public_key.ts";

/** Under which a contact is known by the `sub` of its tokens. */
const TOKEN_PLATFORM = "token";
const ISSUER = "parley";
const MAX_CONTEXTS = 100;
const MAX_NAME = 100;
/** The end of the year 9999, the last that ISO 8601 writes in four digits. */
const MAX_EXP = 253_402_300_799;

/** Courses and rooms often have numbers for names. */
const OneContext = z.union([z.number().int().transform(String), z.string()]).pipe(ContextId);

/** What a participant's token has to claim; what else it has is not looked at. */
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
  /** null: any, of an issuer that is trusted for it. */
  contexts: string[] | null;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  tokenId: string | null;
}

export interface ParticipantTokens {
  /** @throws {ParleyError} `token_expired`, `invalid_token`, `unavailable` without the issuer's keys. */
  verify(token: string): Promise<ParticipantClaims>;
  /** A token that is good for one context and `lifeMs` milliseconds. */
  issue(
    person: { externalId: string; name: string | undefined },
    contextId: string,
    lifeMs: number,
  ): Promise<{ token: string; expiresAt: number }>;
}

export interface ParticipantTokensOptions {
  /** Key of HS256, also that of agents' tokens. */
  secret: string;
  /** Where an outside issuer shows its keys, or its one key in PEM; asymmetric algorithms only. */
  jwksUrl?: string | undefined;
  publicKey?: string | undefined;
  /** What `iss` and `aud` have to be, where they are set. */
  issuer?: string | undefined;
  audience?: string | undefined;
  /** Values of `iss` whose tokens may enter any context where they name none; "*": every one. */
  anyContextIssuers?: readonly string[] | undefined;
  /** The issuer's keys cannot be read, since this moment; told once until they can. */
  onKeysUnreadable?: ((cause: unknown) => void) | undefined;
  /** They can be read again. */
  onKeysReadable?: (() => void) | undefined;
  now?: () => number;
}

interface Trusted {
  key: JWTVerifyGetKey;
  algorithms: string[];
}

const ASYMMETRIC = [...RSA, ...Object.values(CURVES), ...EDWARDS];

/** @throws {TypeError} where the outside issuer's key cannot be used. */
export function createParticipantTokens(options: ParticipantTokensOptions): ParticipantTokens {
  const { issuer, audience, now = Date.now } = options;
  const secret = new TextEncoder().encode(options.secret);
  const own: Trusted = { key: () => secret, algorithms: ["HS256"] };
  const outside = outsideIssuer(options);

  /** By the algorithm, so that no key is ever tried with an algorithm that is not its own. */
  function trustedFor(token: string): Trusted {
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

/** All that a token names, in whichever claims. */
function contextsIn({ contexts = [], contextId, context_id }: z.infer<typeof Claims>): string[] {
  const single = [contextId, context_id].filter((name) => name !== undefined);
  return [...new Set([...contexts, ...single])];
}

function outsideIssuer(options: ParticipantTokensOptions): Trusted | null {
  const { jwksUrl, publicKey, onKeysUnreadable, onKeysReadable } = options;
  let unreadable = false;
  if (publicKey !== undefined) {
    const { key, algorithms } = readPublicKey(publicKey);
    return { key: () => key, algorithms };
  }
  if (jwksUrl === undefined) return null;
  const keys = createRemoteJWKSet(new URL(jwksUrl), { [customFetch]: fetchKeys });
  return {
    algorithms: ASYMMETRIC,
    async key(header, token) {
      try {
        const key = await keys(header, token);
        if (unreadable) onKeysReadable?.();
        unreadable = false;
        return key;
      } catch (cause) {
        // The token is to blame for naming no key of the set, and for nothing else here.
        const blamed = cause instanceof errors.JWKSNoMatchingKey ||
          cause instanceof errors.JWKSMultipleMatchingKeys;
        if (blamed) throw cause;
        if (!unreadable) onKeysUnreadable?.(cause);
        unreadable = true;
        throw new ParleyError(
          "unavailable",
          "Cannot authenticate: the issuer's keys cannot be read",
          { cause, retryAfter: 30_000 },
        );
      }
    },
  };
}

/** A span for it, and not the address: that it is the issuer's keys says enough. */
const fetchKeys: FetchImplementation = (url, options) => {
  if (tracing === null) return fetchBody(url, options as RequestInit);
  return tracing.run("fetch", { "parley.what": "issuer's keys" }, async (span) => {
    const response = await fetchBody(url, options as RequestInit);
    span.setAttribute("http.response.status_code", response.status);
    return response;
  }, SpanKind.CLIENT);
};

/** Nobody reads what comes with a refusal: left alone it would keep its connection. */
async function fetchBody(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options);
  if (!response.ok) await response.body?.cancel();
  return response;
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
  const name = value.toWellFormed().replace(/\p{Cc}+/gu, " ").trim().slice(0, MAX_NAME);
  return name === "" ? undefined : name.toWellFormed();
}

/** Whether a token was made for an agent's sign-in; not whether it is good. */
export function isAgentToken(token: string): boolean {
  try {
    const { iss, sid } = decodeJwt(token);
    return iss === ISSUER && typeof sid === "string";
  } catch {
    return false;
  }
}

/** Who a participant's token belongs to: a contact, made when they first come, named as they are now. */
export async function authenticateParticipant(
  db: Db,
  bus: EventBus,
  tokens: ParticipantTokens,
  token: string,
  renames: Renames,
): Promise<VisitorPrincipal> {
  const claims = await tokens.verify(token);
  const contact = await contactOfParticipant(db, bus, claims, renames);
  return {
    kind: "visitor",
    userId: contact.id,
    userName: contact.name,
    sessionHash: null,
    widgetId: null,
    // The token is the proof; which websites may connect at all is checked before it is read.
    allowedOrigins: ["*"],
    contexts: claims.contexts ?? [],
    ...(claims.contexts === null ? { anyContext: true as const } : {}),
    tokenId: claims.tokenId,
    expiresAt: claims.expiresAt,
  };
}

/** The contact behind a site's id of a person; a name that is given is what they are called now. */
export async function contactOfParticipant(
  db: Db,
  bus: EventBus,
  { externalId, name }: { externalId: string; name: string | undefined },
  renames: Renames,
): Promise<{ id: string; name: string }> {
  const identity = { platform: TOKEN_PLATFORM, externalId, verified: true };
  const contact = await findOrCreateByIdentity(db, identity, name);
  if (name === undefined || name === contact.name) return contact;
  return await updateContact(db, bus, contact.id, { name }, renames);
}
