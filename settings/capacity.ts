/** What may exist at a time, and how large it may be. */
import { int, setting } from "./define.ts";

export const capacity = {
  messageBytes: setting(
    "MAX_MESSAGE_BYTES",
    int(1024, 16_777_216),
    "65536",
    "Largest message from a client",
  ),
  subscriptions: setting(
    "MAX_SUBSCRIPTIONS",
    int(1, 100_000),
    "128",
    "Joined conversations per connection, and the same number of subscriptions to tables",
  ),
  connectionsPerUser: setting(
    "MAX_CONNECTIONS_PER_USER",
    int(1, 100_000),
    "20",
    "Connections per user; the oldest is closed for a new one",
  ),
  unauthenticatedSockets: setting(
    "MAX_UNAUTHENTICATED_SOCKETS",
    int(1, 1_000_000),
    "5000",
    "Sockets and Engine.IO sessions that are not authenticated, including closed ones whose peer has not closed; further ones get 503",
  ),
  unauthenticatedSocketsPerNetwork: setting(
    "MAX_UNAUTHENTICATED_SOCKETS_PER_NETWORK",
    int(1, 1_000_000),
    "100",
    "The same for one network; further ones get 429. The default does not apply to direct loopback peers",
  ),
  visitorTrails: setting(
    "MAX_VISITOR_TRAILS",
    int(0, 1_000_000),
    "2000",
    "Visitors who have not written whose last ten pages a node has in memory",
  ),
  pagesPerContact: setting(
    "MAX_PAGES_PER_CONTACT",
    int(1, 10_000),
    "200",
    "Pages seen that are stored of a contact who wrote; the oldest are deleted",
  ),
  openRequests: setting(
    "MAX_OPEN_REQUESTS",
    int(1, 1_000_000),
    "2000",
    "Requests to the API in progress; further ones get 503",
  ),
  openRequestsPerNetwork: setting(
    "MAX_OPEN_REQUESTS_PER_NETWORK",
    int(1, 1_000_000),
    "200",
    "The same for one network; further ones get 429. The default does not apply to direct loopback peers",
  ),
  preAuthBytes: setting(
    "MAX_PRE_AUTH_BYTES",
    int(1024, 16_777_216),
    "262144",
    "Bytes that a connection may send before it is authenticated",
  ),
  preAuthMessages: setting(
    "MAX_PRE_AUTH_MESSAGES",
    int(1, 10_000),
    "20",
    "Messages that a connection may send before it is authenticated",
  ),
  queueBytes: setting(
    "MAX_QUEUE_BYTES",
    int(16_384, 1_073_741_824),
    "1048576",
    "Outbound bytes waiting per connection; above that the reader is too slow and is disconnected",
  ),
  pendingCommands: setting(
    "MAX_PENDING_COMMANDS",
    int(1, 100_000),
    "256",
    "Commands of one connection in its queue",
  ),
  pendingWrites: setting(
    "MAX_PENDING_WRITES",
    int(1, 1_000_000),
    "10000",
    "Durable changes waiting for the database; further ones are refused with retryAfter",
  ),
  replayEvents: setting(
    "MAX_REPLAY_EVENTS",
    int(1, 10_000),
    "500",
    "Missed events replayed on recovery; if there are more, a snapshot is sent",
  ),
  recoverable: setting(
    "MAX_RECOVERABLE",
    int(0, 1_000_000),
    "10000",
    "Interrupted Socket.IO connections that can be recovered at a time; if there are more, the oldest cannot",
  ),
  documentBytes: setting(
    "MAX_DOCUMENT_BYTES",
    int(1024, 16_777_216),
    "1048576",
    "Largest text of a shared document, in UTF-8",
  ),
  editBytes: setting(
    "MAX_EDIT_BYTES",
    int(1, 16_777_216),
    "65536",
    "Largest text that one edit of a shared document inserts, in UTF-8; MAX_MESSAGE_BYTES also limits its message",
  ),
  documentOperations: setting(
    "MAX_DOCUMENT_OPERATIONS",
    int(100, 1_000_000),
    "1000",
    "Edits stored of each shared document; a client that has missed more gets the whole text",
  ),
};
