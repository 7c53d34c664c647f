import { errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { makeDataDir } from "../../db/data_dir.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { newSecret } from "../secrets.ts";

const ISSUER = "parley";

export interface AccessToken {
  token: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

export interface TokenClaims {
  userId: string;
  expiresAt: number;
  tokenId: string;
  signInId: string;
}

export interface Tokens {
  issue(userId: string, role: string, signInId: string): Promise<AccessToken>;
  /** @throws {ParleyError} `token_expired`, or `invalid_token` for everything else. */
  verify(token: string): Promise<TokenClaims>;
}

/** Other programs may sign with the same secret, so claims are checked to be of an access token. */
const Claims = z.object({
  sub: z.string().max(200),
  sid: z.string().max(200),
  jti: z.string().max(200),
  exp: z.number(),
  /** Absent: a token with an audience is for something else. */
  aud: z.undefined().optional(),
});

/** Access tokens: HS256 only, `exp`, `sub` and `iss` required, and no `aud`. */
export function createTokens(secret: string, lifeMs: number, now: () => number = Date.now): Tokens {
  const key = new TextEncoder().encode(secret);
  return {
    async issue(userId, role, signInId) {
      const seconds = Math.floor(now() / 1000);
      const exp = Math.floor((now() + lifeMs) / 1000);
      const token = await new SignJWT({ role, sid: signInId })
        .setProtectedHeader({ alg: "HS256", typ: "JWT" })
        .setSubject(userId).setIssuer(ISSUER).setIssuedAt(seconds).setExpirationTime(exp)
        .setJti(newSecret(12))
        .sign(key);
      return { token, expiresAt: exp * 1000 };
    },
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: ["HS256"],
          issuer: ISSUER,
          requiredClaims: ["exp", "sub", "jti", "sid"],
          currentDate: new Date(now()),
        });
        const { sub, exp, jti, sid } = Claims.parse(payload);
        return { userId: sub, expiresAt: exp * 1000, tokenId: jti, signInId: sid };
      } catch (cause) {
        if (cause instanceof errors.JWTExpired) {
          throw new ParleyError("token_expired", "Cannot authenticate: the token has expired");
        }
        throw new ParleyError("invalid_token", "Cannot authenticate: the token is not valid", {
          cause,
        });
      }
    },
  };
}

/** The configured secret, or one that is generated once and kept in DATA_DIR. */
export async function signingSecret(
  configured: string | undefined,
  dataDir: string,
): Promise<string> {
  if (configured !== undefined) return configured;
  const path = `${dataDir}/jwt_secret`;
  try {
    return await readSecret(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await makeDataDir(dataDir);
  const secret = newSecret();
  try {
    await Deno.writeTextFile(path, secret, { createNew: true, mode: 0o600 });
    return secret;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return await readSecret(path);
  }
}

/** Waits for another node that is writing the file. */
async function readSecret(path: string): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    const secret = (await Deno.readTextFile(path)).trim();
    if (secret !== "") return secret;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Cannot read the signing secret: "${path}" is empty`);
}
