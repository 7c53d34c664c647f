/** Headers of every response. */

/** Two years, as the lists of browsers ask for. */
const HSTS = "max-age=63072000; includeSubDomains";

/** For responses that are no pages: they run nothing, and nobody may frame them. */
const NO_PAGE =
  "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Features that no page of Parley needs; the microphone is for voice messages. */
const PERMISSIONS = [
  "accelerometer",
  "camera",
  "display-capture",
  "geolocation",
  "gyroscope",
  "magnetometer",
  "midi",
  "payment",
  "serial",
  "usb",
].map((feature) => `${feature}=()`).concat("microphone=(self)").join(", ");

/** Whether browsers isolate pages of this origin: without TLS they do so on the own machine only. */
export function isTrustworthy(origin: string): boolean {
  return /^https:|^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::|$)/.test(origin);
}

/**
 * Adds the headers that are missing.
 *
 * @param isHttps whether the browser reached this server over HTTPS
 * @param isIsolated elsewhere browsers ignore the header of isolation, with an error in the console
 */
export function withSecurityHeaders(
  response: Response,
  isHttps: boolean,
  isIsolated = isHttps,
): Response {
  // The response to an upgrade cannot be changed.
  if (response.status === 101) return response;
  const isPage = response.headers.get("content-type")?.startsWith("text/html") === true;
  const wanted: Record<string, string> = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "content-security-policy": NO_PAGE,
    ...(isPage
      ? {
        "permissions-policy": PERMISSIONS,
        ...(isIsolated ? { "cross-origin-opener-policy": "same-origin" } : {}),
      }
      : {}),
    ...(isHttps ? { "strict-transport-security": HSTS } : {}),
  };
  const missing = Object.entries(wanted).filter(([name]) => !response.headers.has(name));
  if (missing.length === 0) return response;
  try {
    for (const [name, value] of missing) response.headers.set(name, value);
    return response;
  } catch {
    // Responses of some libraries cannot be changed.
    const headers = new Headers(response.headers);
    for (const [name, value] of missing) headers.set(name, value);
    return new Response(response.body, { status: response.status, headers });
  }
}
