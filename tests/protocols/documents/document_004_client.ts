/**
 * The two clients of the chat's document, written from it alone on the official socket.io-client:
 * `adminWebSocket` of the dashboard and `WidgetWebSocketHandler` of the customers' widget. Delays,
 * attempts and what is done on which event are the document's.
 */
import { io, type ManagerOptions, type Socket } from "socket.io-client";

export interface MessageData {
  conversationId: string;
  content: string;
  sender: { userId: string; userName?: string; role: "admin" | "customer" | "bot" };
  timestamp: string;
}
interface Typing {
  userId: string;
  userName: string;
  isTyping: boolean;
}
interface Ack {
  success: boolean;
}
type ConnectionState = "connected" | "disconnected" | "reconnecting";

/** What both have: how they connect, come back and tell their page. */
class ChatClient {
  socket!: Socket;
  states: ConnectionState[] = [];
  received: MessageData[] = [];
  typing: Typing[] = [];
  presence: { userId: string; status: string; timestamp: string }[] = [];
  authenticated: { userId: string; userName: string; role: string }[] = [];
  joined: string[] = [];
  left: string[] = [];
  errors: { message: string }[] = [];
  unread: { unreadCounts: Record<string, number>; totalUnread: number }[] = [];
  reconnects = 0;
  connectErrors: string[] = [];
  disconnects: string[] = [];
  /** Of the reconnect handler in the document. */
  currentConversationId: string | null = null;

  protected open(url: string, auth: Record<string, string>, more: Partial<ManagerOptions>): void {
    const socket = this.socket = io(url, {
      auth,
      reconnection: true,
      reconnectionDelay: 1000,
      reconnectionDelayMax: 5000,
      reconnectionAttempts: 5,
      forceNew: true,
      ...more,
    });
    socket.on("connect", () => this.states.push("connected"));
    socket.on("connect_error", (error) => this.connectErrors.push(error.message));
    socket.on("disconnect", (reason) => {
      this.disconnects.push(reason);
      this.states.push("disconnected");
    });
    socket.on("reconnect_attempt", () => this.states.push("reconnecting"));
    socket.on("reconnect", () => {
      this.reconnects++;
      if (this.currentConversationId !== null) {
        socket.emit("join_conversation", this.currentConversationId);
      }
    });
    socket.on("authenticated", (data) => this.authenticated.push(data));
    socket.on("joined_conversation", ({ conversationId }) => this.joined.push(conversationId));
    socket.on("left_conversation", ({ conversationId }) => this.left.push(conversationId));
    socket.on("message_received", (data) => this.received.push(data));
    socket.on("typing_indicator", (data) => this.typing.push(data));
    socket.on("presence_update", (data) => this.presence.push(data));
    socket.on("unread_count_update", (data) => this.unread.push(data));
    socket.on("error", (error) => this.errors.push(error));
  }

  joinConversation(conversationId: string): void {
    this.socket.emit("join_conversation", conversationId);
  }
  leaveConversation(conversationId: string): void {
    this.socket.emit("leave_conversation", conversationId);
  }
  contentsOf(conversationId: string): string[] {
    return this.received.filter((message) => message.conversationId === conversationId)
      .map(({ content }) => content);
  }
  disconnect(): void {
    this.socket.disconnect();
  }
}

export class AdminWebSocket extends ChatClient {
  connect(token: string, url: string, more: Partial<ManagerOptions> = {}): void {
    this.open(url, { token }, more);
  }
  sendMessage(conversationId: string, content: string, callback?: (ack: Ack) => void): void {
    this.socket.emit("send_message", { conversationId, content }, callback);
  }
  sendTypingStart(conversationId: string): void {
    this.socket.emit("typing_start", conversationId);
  }
  sendTypingStop(conversationId: string): void {
    this.socket.emit("typing_stop", conversationId);
  }
}

export class WidgetWebSocketHandler extends ChatClient {
  private conversationId = "";

  connect(sessionId: string, apiUrl: string, more: Partial<ManagerOptions> = {}): void {
    this.open(apiUrl, { sessionId }, more);
  }
  override joinConversation(conversationId: string): void {
    this.conversationId = conversationId;
    super.joinConversation(conversationId);
  }
  sendMessage(content: string, callback?: (ack: Ack) => void): void {
    this.socket.emit("send_message", { conversationId: this.conversationId, content }, callback);
  }
  sendTypingStart(): void {
    this.socket.emit("typing_start", this.conversationId);
  }
  sendTypingStop(): void {
    this.socket.emit("typing_stop", this.conversationId);
  }
}
