/** What may come in a minute. */
import { int, setting } from "./define.ts";

export const rates = {
  connections: setting(
    "LIMIT_CONNECTIONS_PER_MINUTE",
    int(1, 1_000_000),
    "10",
    "New sockets per minute and network (an IPv4 address or an IPv6 /64). Agents in the dashboard are counted by user instead, three times as many. The default does not apply to direct loopback peers; a value that you set applies to all",
  ),
  messages: setting(
    "LIMIT_MESSAGES_PER_MINUTE",
    int(1, 1_000_000),
    "100",
    "Commands per minute and connection (typing has its own limit)",
  ),
  roomBroadcasts: setting(
    "LIMIT_ROOM_BROADCASTS_PER_MINUTE",
    int(1, 10_000_000),
    "1000",
    "Messages and typing per minute and conversation",
  ),
  typing: setting(
    "LIMIT_TYPING_PER_MINUTE",
    int(1, 1_000_000),
    "30",
    "Typing commands per minute and connection",
  ),
  edits: setting(
    "LIMIT_EDITS_PER_MINUTE",
    int(1, 10_000_000),
    "1200",
    "Edits of shared documents per minute and connection",
  ),
  cursors: setting(
    "LIMIT_CURSORS_PER_MINUTE",
    int(1, 10_000_000),
    "1200",
    "Cursor moves in shared documents per minute and connection",
  ),
  logins: setting(
    "LIMIT_LOGINS_PER_MINUTE",
    int(1, 100_000),
    "10",
    "Failed sign-ins per minute of one network (an IPv4 address or an IPv6 /64) at one account; five times as many in all",
  ),
  sessions: setting(
    "LIMIT_SESSIONS_PER_MINUTE",
    int(1, 1_000_000),
    "60",
    "New visitor sessions per minute and network",
  ),
  requests: setting(
    "LIMIT_REQUESTS_PER_MINUTE",
    int(1, 10_000_000),
    "12000",
    "Requests to the API per minute and network. The default does not apply to direct loopback peers",
  ),
  renames: setting(
    "LIMIT_RENAMES_PER_MINUTE",
    int(1, 1_000_000),
    "10",
    "Changes of one contact's name per minute",
  ),
  apiRequests: setting(
    "LIMIT_API_REQUESTS_PER_MINUTE",
    int(1, 10_000_000),
    "6000",
    "Requests per minute and API key",
  ),
};
