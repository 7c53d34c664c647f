/**
 * A client of the messaging hub written from its document alone, on the official socket.io-client:
 * it authenticates in `connect`, and keeps what the events say as the document's handlers do.
 */
import { io, type Socket } from "socket.io-client";

export interface StatusUpdate {
  messageId: string;
  conversationId: string;
  status: "read" | "delivered";
  timestamp: string;
}
interface Message {
  id: string;
  content: string;
  conversationId: string;
}

export class MessagingHubClient {
  readonly socket: Socket;
  authenticated: { userId: string; email: string }[] = [];
  authErrors: { message: string }[] = [];
  errors: { error: string; code?: string; timestamp: string }[] = [];
  messages: Message[] = [];
  /** In the order in which they came. */
  statusUpdates: StatusUpdate[] = [];
  platformBadges: Record<string, number> = {};
  totalUnread: number | null = null;
  conversations = new Map<string, { id: string }>();
  timestamps: string[] = [];
  disconnects: string[] = [];

  /** @param token what `localStorage` has when it connects */
  constructor(url: string, token: () => unknown, transports = ["websocket", "polling"]) {
    const socket = this.socket = io(url, { transports, forceNew: true, reconnectionDelay: 50 });
    socket.on("connect", () => socket.emit("authenticate", { token: token() }));
    socket.on("authenticated", (data) => this.authenticated.push(data));
    socket.on("auth_error", (error) => this.authErrors.push(error));
    socket.on("new_message", (data) => {
      this.messages.push(data.message);
      this.timestamps.push(data.timestamp);
    });
    socket.on("message_status_update", (data) => {
      this.statusUpdates.push(data);
      this.timestamps.push(data.timestamp);
    });
    socket.on("unread_count_update", (data) => {
      this.platformBadges = data.unreadCounts;
      this.totalUnread = data.totalUnread;
      this.timestamps.push(data.timestamp);
    });
    socket.on("conversation_update", (data) => {
      this.conversations.set(data.conversation.id, data.conversation);
      this.timestamps.push(data.timestamp);
    });
    socket.on("error", (error) => this.errors.push(error));
    socket.on("disconnect", (reason) => this.disconnects.push(reason));
  }

  statusesOf(messageId: string): string[] {
    return this.statusUpdates.filter((one) => one.messageId === messageId)
      .map(({ status }) => status);
  }

  close(): void {
    this.socket.disconnect();
  }
}
