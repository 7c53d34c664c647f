/** A new secret with 256 bits of randomness, in base64url. */
export function newSecret(bytes = 32): string {
  const secret = crypto.getRandomValues(new Uint8Array(bytes));
  return secret.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** SHA-256 in hex: how a secret with full entropy is stored. */
export async function hashSecret(secret: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return new Uint8Array(digest).toHex();
}
