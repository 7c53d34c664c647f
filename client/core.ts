/**
 * The core of the Parley SDK, under 6 KB: a connection that keeps itself alive, an outbox that
 * sends once, commands with answers, typed events, and the log of a conversation in order and
 * without gaps. For programs that show no thread, or have their own in place of
 * `ConversationStore`; mod.ts has everything.
 *
 * ```ts
 * const client = new ParleyCore({ url, credentials: () => ({ token }) });
 * client.on("conversation", ({ conversation }) => console.log(conversation.status));
 * await client.connect();
 * await client.send({ conversationId, content: "Hello!" });
 * ```
 */
export { ParleyCore } from "./parley_core.ts";
export { createFollower, type Follower, type FollowHandlers } from "./follow.ts";
export { type ClientErrorCode, ParleyClientError } from "./errors.ts";
export { newId } from "./outbox.ts";
export type { RequestOptions } from "./requests.ts";
export type {
  AllEvents,
  ClientEvents,
  ClientOptions,
  ClientStorage,
  ConnectionState,
  Credentials,
  OutgoingMessage,
  PendingMessage,
  ServerEvent,
} from "./types.ts";
