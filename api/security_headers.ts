/** Headers that every answer has, whatever it is. */

/** Two years, as the lists of browsers ask for. */
const HSTS = "max-age=63072000; includeSubDomains";

/** For what is no page: nothing of it may run, and nobody may frame it. */
const NO_PAGE =
  "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What no page of Parley needs. */
const PERMISSIONS = [
  "accelerometer",
  "camera",
  "display-capture",
  "geolocation",
  "gyroscope",
  "magnetometer",
  "microphone",
  "midi",
  "payment",
  "serial",
  "usb",
].map((feature) => `${feature}=()`).join(", ");

/** Adds what is not there yet. @param isHttps whether the browser reached this server over HTTPS */
export function withSecurityHeaders(response: Response, isHttps: boolean): Response {
  // A socket's answer is not to be touched.
  if (response.status === 101) return response;
  const isPage = response.headers.get("content-type")?.startsWith("text/html") === true;
  const wanted: Record<string, string> = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "content-security-policy": NO_PAGE,
    ...(isPage
      ? { "permissions-policy": PERMISSIONS, "cross-origin-opener-policy": "same-origin" }
      : {}),
    ...(isHttps ? { "strict-transport-security": HSTS } : {}),
  };
  const missing = Object.entries(wanted).filter(([name]) => !response.headers.has(name));
  if (missing.length === 0) return response;
  try {
    for (const [name, value] of missing) response.headers.set(name, value);
    return response;
  } catch {
    // Answers of some libraries cannot be changed.
    const headers = new Headers(response.headers);
    for (const [name, value] of missing) headers.set(name, value);
    return new Response(response.body, { status: response.status, headers });
  }
}
