/**
 * The Parley SDK: a connection that keeps itself alive, an outbox that sends once, and conversation
 * stores that recover. Runs in browsers, Deno and Node 22, without dependencies. core.ts is the
 * same without the stores.
 *
 * ```ts
 * const client = new ParleyClient({
 *   url: "https://chat.example.com",
 *   credentials: async () => ({ token: await accessToken() }),
 * });
 * client.connect();
 * const store = client.conversation(id);
 * store.subscribe(({ items }) => render(items));
 * store.open();
 * await store.send("Hello!");
 * ```
 */
export * from "./core.ts";
export { ParleyClient } from "./client.ts";
export { ConversationStore } from "./conversation.ts";
export { deliveryStatus } from "./thread.ts";
export type { ConversationSnapshot, ThreadItem } from "./types.ts";
export { TopicsClient } from "./topics.ts";
export type { ConversationEvent, TopicsEvents, TopicsOptions, TopicsState } from "./topics.ts";
export { Analytics } from "./analytics.ts";
export type { MetricCallback, MetricSubscription } from "./analytics.ts";
export { Tables } from "./tables.ts";
export type { TableChange, TableSubscription, TableSubscriptionOptions } from "./tables.ts";
export {
  ConnectionState as ChatJsonState,
  MessageType as ChatJsonMessageType,
  RealtimeService,
  WebSocketService,
} from "./chat_json.ts";
export type { WebSocketConfig, WebSocketMessage } from "./chat_json.ts";
