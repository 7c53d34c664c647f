/** Where it listens, who may reach it, and how it ends. */
import { addresses, flag, int, origin, origins, rootPath, setting, text } from "./define.ts";

export const server = {
  port: setting("PORT", int(0, 65535), "8000", "TCP port to listen on; 0 takes a free one"),
  host: setting(
    "HOST",
    text(1, "must be a host name or address"),
    "0.0.0.0",
    "Address to listen on",
  ),
  publicUrl: setting(
    "PUBLIC_URL",
    origin,
    undefined,
    "Origin of this server, such as https://chat.example.com; unset: taken from the Host header",
  ),
  basePath: setting(
    "BASE_PATH",
    rootPath,
    "/",
    "Only `/`: Parley needs a host name of its own, and does not work below a path of another site",
  ),
  frontendOrigins: setting(
    "FRONTEND_URL",
    origins,
    "",
    "Origins besides this server's own that may use the agents' API and sockets; also as WEBSOCKET_CORS_ORIGIN",
    { alias: "WEBSOCKET_CORS_ORIGIN" },
  ),
  trustedProxies: setting(
    "TRUSTED_PROXIES",
    addresses,
    "",
    "Proxies whose X-Forwarded-For, -Proto and -Host are trusted",
  ),
  secureCookies: setting(
    "SECURE_COOKIES",
    flag,
    undefined,
    "Marks cookies Secure; unset: only when the request came over HTTPS",
  ),
  pendingConnections: setting(
    "MAX_PENDING_CONNECTIONS",
    int(1, 65_535),
    "4096",
    "Connections that the kernel queues until they are accepted (net.core.somaxconn at most); with --parallel 511 per worker",
  ),
  drainMs: setting(
    "DRAIN_MS",
    int(0, 3_500),
    "3000",
    "Time over which clients are asked to reconnect, spread evenly, before the process ends",
  ),
  devReload: setting(
    "DEV_RELOAD",
    flag,
    "false",
    "Reloads open pages when the server starts again, and opens /websocket-test without a sign-in; deno task dev sets it",
  ),
};
