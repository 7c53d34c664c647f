/** Names of rooms. A client never sends one: it names a resource, and its rights decide. */
export const ROOMS = {
  conversation: (id: string) => `conversation:${id}`,
  /** The conversation whose room it is; null for every other room. */
  conversationOf: (room: string) =>
    room.startsWith("conversation:") ? room.slice("conversation:".length) : null,
  /** Connections that are informed of each member who joins or leaves, or of the number alone. */
  members: (id: string) => `members:${id}`,
  memberCount: (id: string) => `member_count:${id}`,
  user: (id: string) => `user:${id}`,
  /** Who works on a shared document. */
  documentMembers: (documentId: string) => `session:${documentId}`,
  /** The edits of a document. */
  document: (id: string) => `document:${id}`,
  /** The document whose room it is; null for every other room. */
  documentOf: (room: string) =>
    room.startsWith("document:") ? room.slice("document:".length) : null,
  /** Every connected agent. */
  agents: "agents",
  /** Agents whose protocol delivers the messages of all conversations. */
  messages: "messages",
  /** Agents whose protocol delivers unread counts without a request. */
  unread: "unread",
  /** Every connected visitor; it delivers the presence of agents. */
  visitors: "visitors",
} as const;
