/**
 * The clients of the three scoped endpoints, written from their document alone: credentials in the
 * address or in a first message, the envelope with `data`, reconnection with exponential backoff,
 * a queue while there is no connection, and a ping now and then.
 */
export interface WebSocketMessage {
  type: string;
  id?: string;
  timestamp: string;
  // deno-lint-ignore no-explicit-any -- what the document shows is checked field by field
  data: any;
  error?: string;
}
type Outgoing = Omit<WebSocketMessage, "timestamp">;

export interface ClientOptions {
  url: string;
  token: string;
  contextId?: string;
  /** Whether the credentials come in a first message, as the document's second example. */
  initialMessage?: boolean;
}

export class ScopedWebSocketClient {
  ws!: WebSocket;
  received: WebSocketMessage[] = [];
  closes: { code: number; reason: string }[] = [];
  pongs = 0;
  private queue: Outgoing[] = [];
  private attempts = 0;
  private leaving = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pingInterval: ReturnType<typeof setInterval> | undefined;

  constructor(private options: ClientOptions) {}

  connect(): Promise<void> {
    const { url, token, contextId, initialMessage = false } = this.options;
    const context = contextId === undefined ? "" : `&contextId=${encodeURIComponent(contextId)}`;
    const ws = this.ws = new WebSocket(
      initialMessage ? url : `${url}?token=${encodeURIComponent(token)}${context}`,
    );
    return new Promise((resolve, reject) => {
      ws.onopen = () => {
        this.attempts = 0;
        if (initialMessage) ws.send(JSON.stringify({ type: "auth", token, contextId }));
        for (const message of this.queue.splice(0)) this.send(message);
        resolve();
      };
      ws.onmessage = (event) => {
        const message: WebSocketMessage = JSON.parse(event.data);
        this.received.push(message);
        if (message.type === "pong") this.pongs++;
      };
      ws.onerror = () => reject(new Error("Connection error occurred"));
      ws.onclose = ({ code, reason }) => {
        this.closes.push({ code, reason });
        clearInterval(this.pingInterval);
        if (code !== 1000 && !this.leaving) this.attemptReconnection();
      };
    });
  }

  send(message: Outgoing): void {
    if (this.ws.readyState === WebSocket.OPEN) this.ws.send(JSON.stringify(message));
    else this.queue.push(message);
  }

  startPing(everyMs: number): void {
    this.pingInterval = setInterval(() => {
      if (this.ws.readyState === WebSocket.OPEN) this.ws.send(JSON.stringify({ type: "ping" }));
    }, everyMs);
  }

  of(type: string): WebSocketMessage[] {
    return this.received.filter((message) => message.type === type);
  }

  async close(): Promise<void> {
    this.leaving = true;
    clearTimeout(this.timer);
    clearInterval(this.pingInterval);
    if (this.ws.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => this.ws.addEventListener("close", resolve));
    this.ws.close(1000);
    await closed;
  }

  private attemptReconnection(): void {
    this.timer = setTimeout(() => {
      this.connect().catch(() => {});
    }, Math.min(100 * 2 ** this.attempts++, 5000));
  }
}

/** What the document's example shows of a chat. */
export class ChatWebSocketClient extends ScopedWebSocketClient {
  say(content: string): void {
    this.send({ type: "message", data: { content, messageType: "text" } });
  }
  typing(isTyping: boolean): void {
    this.send({ type: "typing", data: { isTyping } });
  }
  /** As `displayMessage` gets them. */
  get shown(): { id: string; content: string; author: { name: string }; timestamp: string }[] {
    return this.of("message").map(({ data: { id, content, author, timestamp } }) => ({
      id,
      content,
      author,
      timestamp,
    }));
  }
}
