/**
 * A client of conversation events written from the document of `/api/v1/ws` alone: `useWebSocket`
 * with its subscriptions, reconnection with exponential backoff, and polling every three seconds
 * where there is no socket. It knows the frames that the document shows, and nothing else.
 */
export interface ConversationEvent {
  type: "conversationEvent";
  id: string;
  conversationID: string;
  message: { status: string; body: { type: string; text: string } };
  actorID: string;
  actorType: string;
  updatedAt: string;
  createdAt: string;
}
type Callback = (event: ConversationEvent) => void;

export class WebSocketService {
  /** What a page shows beside the conversation. */
  status: "Live" | "Offline" = "Offline";
  private socket: WebSocket | null = null;
  private subscriptions = new Map<string, Callback>();
  private attempts = 0;
  private wanted = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Of each conversation where the polling goes on. */
  private cursors = new Map<string, string>();
  private polling: ReturnType<typeof setInterval> | undefined;

  /** @param apiUrl VITE_API_URL, whose http becomes ws */
  constructor(private apiUrl: string, private token: string, private pollMs = 3000) {}

  connect = (): Promise<void> => {
    this.wanted = true;
    return new Promise((resolve, reject) => {
      const address = `${this.apiUrl.replace(/^http/, "ws")}/api/v1/ws?token=${this.token}`;
      const socket = this.socket = new WebSocket(address);
      socket.onopen = () => {
        this.attempts = 0;
        this.status = "Live";
        for (const id of this.subscriptions.keys()) this.say("subscribe", id);
        resolve();
      };
      socket.onmessage = ({ data }) => {
        try {
          const frame = JSON.parse(data);
          // Whatever else the server says is none of this client's business.
          if (frame.type !== "conversationEvent") return;
          this.subscriptions.get(frame.conversationID)?.(frame);
        } catch (error) {
          this.failures.push(error);
        }
      };
      socket.onerror = () => reject(new Error("Connection failed"));
      socket.onclose = () => {
        this.status = "Offline";
        if (!this.wanted) return;
        this.timer = setTimeout(
          () => this.connect().catch(() => {}),
          Math.min(100 * 2 ** this.attempts++, 3000),
        );
      };
    });
  };
  /** What went wrong in callbacks: it breaks nothing but itself. */
  readonly failures: unknown[] = [];

  isConnected = (): boolean => this.socket?.readyState === WebSocket.OPEN;

  subscribeToConversation = (conversationId: string, callback: Callback): boolean => {
    this.subscriptions.set(conversationId, callback);
    return this.isConnected() && this.say("subscribe", conversationId);
  };

  unsubscribeFromConversation = (conversationId: string): void => {
    this.subscriptions.delete(conversationId);
    if (this.isConnected()) this.say("unsubscribe", conversationId);
  };

  disconnect = async (): Promise<void> => {
    this.wanted = false;
    clearTimeout(this.timer);
    clearInterval(this.polling);
    const { socket } = this;
    if (socket === null || socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
    socket.close();
    await closed;
  };

  private say(action: "subscribe" | "unsubscribe", resourceID: string): boolean {
    const frame = { type: "subscription", action, topic: "conversationEvent", resourceID };
    this.socket!.send(JSON.stringify(frame));
    return true;
  }

  /** In place of the socket. */
  startPolling(): void {
    this.polling = setInterval(() => void this.poll(), this.pollMs);
  }

  async poll(): Promise<void> {
    for (const [id, callback] of this.subscriptions) {
      const after = this.cursors.get(id);
      const query = after === undefined ? "" : `?after=${after}`;
      const response = await fetch(`${this.apiUrl}/api/v1/conversations/${id}/events${query}`, {
        headers: { authorization: `Bearer ${this.token}` },
      });
      const { items, nextCursor } = await response.json();
      this.cursors.set(id, nextCursor);
      for (const event of items) callback(event);
    }
  }
}
