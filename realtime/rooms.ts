/** Names of rooms. A client never names one: it asks for a thing, and its rights decide. */
export const ROOMS = {
  conversation: (id: string) => `conversation:${id}`,
  /** The conversation whose room it is; null for every other room. */
  conversationOf: (room: string) =>
    room.startsWith("conversation:") ? room.slice("conversation:".length) : null,
  /** Who hears of single people who come to a conversation and go, and who of their number. */
  members: (id: string) => `members:${id}`,
  memberCount: (id: string) => `member_count:${id}`,
  user: (id: string) => `user:${id}`,
  /** Who works on a shared document. */
  session: (documentId: string) => `session:${documentId}`,
  /** What is written in it. */
  document: (id: string) => `document:${id}`,
  /** The document whose room it is; null for every other room. */
  documentOf: (room: string) =>
    room.startsWith("document:") ? room.slice("document:".length) : null,
  /** Every connected agent. */
  agents: "agents",
  /** Agents whose protocol brings the messages of all conversations. */
  messages: "messages",
  /** Agents whose protocol tells of unread counts without being asked. */
  unread: "unread",
  /** Every connected visitor: hears which agents are there. */
  visitors: "visitors",
} as const;
