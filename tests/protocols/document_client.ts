/**
 * The client that the document of chat JSON shows, as it shows it: `WebSocketService` with its
 * connecting, sending, reconnecting and heartbeat. Only its configuration, and what it names without
 * showing (`queueMessage`, `processQueue`, `isConnected`), stand here in the plainest form.
 */
export interface WebSocketMessage {
  type: string;
  // deno-lint-ignore no-explicit-any -- as in the document
  [field: string]: any;
}
type MessageHandler = (message: WebSocketMessage) => void;
type State = "CONNECTING" | "CONNECTED" | "RECONNECTING" | "DISCONNECTED" | "FAILED";

const config = {
  autoReconnect: true,
  maxReconnectAttempts: 10,
  heartbeatIntervalMs: 50,
  connectionTimeout: 5_000,
  rateLimitPerSecond: 10,
};

export class DocumentClient {
  connectionState: State = "DISCONNECTED";
  private socket: WebSocket | null = null;
  private reconnectAttempts = 0;
  private reconnectTimeout: ReturnType<typeof setTimeout> | undefined;
  private heartbeatInterval: ReturnType<typeof setInterval> | undefined;
  private messageCountLastMinute = 0;
  private messageHandlers = new Set<MessageHandler>();
  private connectCallbacks = new Set<() => void>();
  private queue: WebSocketMessage[] = [];
  private leaving = false;

  constructor(private url: string, private clientId: string) {}

  public connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (
        this.socket &&
        (this.socket.readyState === WebSocket.OPEN ||
          this.socket.readyState === WebSocket.CONNECTING)
      ) {
        resolve();
        return;
      }
      try {
        this.connectionState = "CONNECTING";
        this.socket = new WebSocket(this.url);

        const connectionTimeout = setTimeout(() => {
          if (this.connectionState === "CONNECTING") {
            this.connectionState = "FAILED";
            this.socket?.close();
            this.socket = null;
            this.handleReconnect();
            reject(new Error("Connection timeout"));
          }
        }, config.connectionTimeout);

        this.socket.onopen = () => {
          clearTimeout(connectionTimeout);
          this.connectionState = "CONNECTED";
          this.reconnectAttempts = 0;
          this.processQueue();
          this.startHeartbeat();
          this.connectCallbacks.forEach((callback) => callback());
          resolve();
        };
        this.socket.onmessage = (event) => {
          const message = JSON.parse(event.data);
          this.messageHandlers.forEach((handler) => handler(message));
        };
        this.socket.onerror = () => {};
        this.socket.onclose = () => {
          clearTimeout(connectionTimeout);
          this.stopHeartbeat();
          if (!this.leaving) this.handleReconnect();
        };
      } catch (error) {
        this.connectionState = "FAILED";
        this.handleReconnect();
        reject(error);
      }
    });
  }

  public send(message: WebSocketMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      this.messageCountLastMinute++;
      if (this.messageCountLastMinute > config.rateLimitPerSecond * 60) {
        reject(new Error("Rate limit exceeded"));
        return;
      }
      if (this.isConnected()) {
        try {
          const enrichedMessage: WebSocketMessage = {
            ...message,
            clientId: message.clientId || this.clientId,
            timestamp: message.timestamp || new Date().toISOString(),
          };
          this.socket?.send(JSON.stringify(enrichedMessage));
          resolve();
        } catch (error) {
          this.queue.push(message);
          reject(error);
        }
      } else {
        this.queue.push(message);
        this.connect().catch(reject);
        resolve();
      }
    });
  }

  private handleReconnect(): void {
    if (config.autoReconnect && this.reconnectAttempts < config.maxReconnectAttempts) {
      this.connectionState = "RECONNECTING";
      this.reconnectAttempts++;
      const baseBackoff = Math.min(1000 * Math.pow(2, this.reconnectAttempts - 1), 30000);
      const jitter = 0.1 * baseBackoff * Math.random();
      this.reconnectTimeout = setTimeout(() => {
        this.connect().catch(() => {});
      }, baseBackoff + jitter);
    } else if (this.reconnectAttempts >= config.maxReconnectAttempts) {
      this.connectionState = "FAILED";
    }
  }

  private startHeartbeat(): void {
    this.stopHeartbeat();
    this.heartbeatInterval = setInterval(() => {
      if (this.isConnected()) {
        this.send({ type: "ping", sentAt: new Date().toISOString() }).catch(() => {});
      }
    }, config.heartbeatIntervalMs);
  }
  private stopHeartbeat(): void {
    clearInterval(this.heartbeatInterval);
  }
  private processQueue(): void {
    for (const message of this.queue.splice(0)) void this.send(message);
  }

  public isConnected(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }
  public addMessageHandler(handler: MessageHandler): void {
    this.messageHandlers.add(handler);
  }
  public removeMessageHandler(handler: MessageHandler): void {
    this.messageHandlers.delete(handler);
  }
  public onConnect(callback: () => void): void {
    this.connectCallbacks.add(callback);
  }
  public async disconnect(): Promise<void> {
    this.leaving = true;
    clearTimeout(this.reconnectTimeout);
    this.stopHeartbeat();
    const { socket } = this;
    if (socket === null || socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
    socket.close();
    await closed;
  }
}
