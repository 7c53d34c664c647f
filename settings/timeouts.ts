/** Times of connections and requests. */
import { int, setting } from "./define.ts";

export const timeouts = {
  authMs: setting(
    "AUTH_TIMEOUT_MS",
    int(100, 600_000),
    "10000",
    "Time to authenticate a connection",
  ),
  bodyMs: setting(
    "BODY_TIMEOUT_MS",
    int(100, 600_000),
    "20000",
    "Time in which the body of a request has to arrive; after that the response is 408",
  ),
  heartbeatMs: setting(
    "HEARTBEAT_MS",
    int(1000, 600_000),
    "25000",
    "Silence after which a peer is pinged; after twice as long it is disconnected",
  ),
  typingMs: setting(
    "TYPING_MS",
    int(100, 60_000),
    "3000",
    "Time after which typing ends by itself",
  ),
  presenceGraceMs: setting(
    "PRESENCE_GRACE_MS",
    int(0, 600_000),
    "5000",
    "Time after which a user without a connection counts as offline",
  ),
  tokenGraceMs: setting(
    "TOKEN_GRACE_MS",
    int(0, 600_000),
    "25000",
    "Time to refresh an expired token before its connection is closed",
  ),
  recoveryMs: setting(
    "RECOVERY_MS",
    int(0, 3_600_000),
    "120000",
    "Time for which an interrupted Socket.IO connection can be recovered",
  ),
};
