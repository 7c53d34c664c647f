/** The protocols that a side of the test page can use. */
import type { ProtocolAdapter } from "./adapter.ts";

export type ProtocolId =
  | "native"
  | "chat-json"
  | "scoped"
  | "topics"
  | "socket-io-websocket"
  | "socket-io-polling";

export interface ProtocolEntry {
  id: ProtocolId;
  label: string;
  /** The endpoint. */
  path: string;
  /** What it supports besides messages. */
  has: { typing: boolean; read: boolean; presence: boolean };
  /** Another difference. */
  note?: string;
  load(): Promise<ProtocolAdapter>;
}

const EVERYTHING = { typing: true, read: true, presence: true };

export const PROTOCOLS: readonly ProtocolEntry[] = [
  {
    id: "native",
    label: "Native (parley.v1)",
    path: "/realtime",
    has: EVERYTHING,
    load: async () => (await import("./native.ts")).native,
  },
  {
    id: "chat-json",
    label: "Chat JSON",
    path: "/ws",
    has: { typing: false, read: false, presence: false },
    note: "what was missed is read over HTTP",
    load: async () => (await import("./chat_json.ts")).chatJson,
  },
  {
    id: "scoped",
    label: "Scoped",
    path: "/api/chat/ws",
    has: { typing: true, read: false, presence: true },
    note: "a token for one conversation",
    load: async () => (await import("./scoped.ts")).scoped,
  },
  {
    id: "topics",
    label: "Topics",
    path: "/api/v1/ws",
    has: { typing: false, read: true, presence: false },
    note: "writing goes over HTTP",
    load: async () => (await import("./topics.ts")).topics,
  },
  {
    id: "socket-io-websocket",
    label: "Socket.IO, WebSocket",
    path: "/socket.io/",
    has: EVERYTHING,
    load: async () => (await import("./socket_io.ts")).socketIo("websocket"),
  },
  {
    id: "socket-io-polling",
    label: "Socket.IO, polling",
    path: "/socket.io/",
    has: EVERYTHING,
    load: async () => (await import("./socket_io.ts")).socketIo("polling"),
  },
];

export function protocolOf(id: ProtocolId): ProtocolEntry {
  return PROTOCOLS.find((entry) => entry.id === id)!;
}

/** The endpoint and the differences: "/ws · no typing, no read marks · …". */
export function aboutProtocol({ path, has, note }: ProtocolEntry): string {
  const lacks = [
    has.typing ? null : "no typing",
    has.read ? null : "no read marks",
    has.presence ? null : "no presence",
  ].filter((one) => one !== null).join(", ");
  return [path, lacks, note].filter(Boolean).join(" · ");
}
