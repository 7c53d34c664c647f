/** The keys of an outside issuer of participants' tokens. */
import { SpanKind } from "@opentelemetry/api";
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from "jose";
import { ParleyError } from "../../protocol/errors.ts";
import { tracing } from "../tracing.ts";
import { CURVES, EDWARDS, readPublicKey, RSA } from "./public_key.ts";

/** Keys, and the only algorithms that they may be used with. */
export interface TrustedKeys {
  key: JWTVerifyGetKey;
  algorithms: string[];
}

export interface OutsideIssuerOptions {
  /** URL of an outside issuer's keys, or its one key in PEM; asymmetric algorithms only. */
  jwksUrl?: string | undefined;
  publicKey?: string | undefined;
  /** Called once when the issuer's keys cannot be read any more. */
  onKeysUnreadable?: ((cause: unknown) => void) | undefined;
  /** Called when they can be read again. */
  onKeysReadable?: (() => void) | undefined;
}

const ASYMMETRIC = [...RSA, ...Object.values(CURVES), ...EDWARDS];

/** null: none is configured. @throws {TypeError} where the key cannot be used. */
export function createOutsideIssuer(options: OutsideIssuerOptions): TrustedKeys | null {
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
        // A token that names no key of the set is refused; all other errors are of the key set.
        const isOfToken = cause instanceof errors.JWKSNoMatchingKey ||
          cause instanceof errors.JWKSMultipleMatchingKeys;
        if (isOfToken) throw cause;
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

/** Fetches the keys within a span, which does not have the URL. */
const fetchKeys: FetchImplementation = (url, options) => {
  if (tracing === null) return fetchBody(url, options as RequestInit);
  return tracing.run("fetch", { "parley.what": "issuer's keys" }, async (span) => {
    const response = await fetchBody(url, options as RequestInit);
    span.setAttribute("http.response.status_code", response.status);
    return response;
  }, SpanKind.CLIENT);
};

/** Cancels the body of an error response, which would otherwise keep its connection. */
async function fetchBody(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options);
  if (!response.ok) await response.body?.cancel();
  return response;
}
