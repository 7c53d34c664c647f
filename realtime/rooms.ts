/** Names of rooms. A client never names one: it asks for a thing, and its rights decide. */
export const ROOMS = {
  conversation: (id: string) => `conversation:${id}`,
  /** Who hears of single people who come to a conversation and go, and who of their number. */
  members: (id: string) => `members:${id}`,
  memberCount: (id: string) => `member_count:${id}`,
  user: (id: string) => `user:${id}`,
  /** Every connected agent. */
  agents: "agents",
  /** Agents whose protocol brings the messages of all conversations. */
  messages: "messages",
  /** Every connected visitor: hears which agents are there. */
  visitors: "visitors",
} as const;
