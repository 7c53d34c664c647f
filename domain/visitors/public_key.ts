import { createPublicKey, type KeyObject } from "node:crypto";

export const RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
export const EDWARDS = ["EdDSA", "Ed25519"];
export const CURVES: Record<string, string> = {
  prime256v1: "ES256",
  secp384r1: "ES384",
  secp521r1: "ES512",
};

/**
 * A public key and the JWS algorithms (RFC 7518, RFC 8037) that its kind is for.
 *
 * @param pem SPKI, from "-----BEGIN PUBLIC KEY-----" on.
 * @throws for what is no such key, or of a kind that no accepted algorithm uses.
 */
export function readPublicKey(pem: string): { key: KeyObject; algorithms: string[] } {
  // A private key would work, too, but must not be configured.
  if (!pem.trim().startsWith("-----BEGIN PUBLIC KEY-----")) {
    throw new TypeError("Cannot read the public key: it is not one in PEM");
  }
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType === "rsa") return { key, algorithms: RSA };
  if (key.asymmetricKeyType === "ed25519") return { key, algorithms: EDWARDS };
  const algorithm = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (algorithm !== undefined) return { key, algorithms: [algorithm] };
  throw new TypeError(`Cannot use the public key: its type is "${key.asymmetricKeyType}"`);
}
