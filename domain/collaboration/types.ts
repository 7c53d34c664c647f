/** What a shared document belongs to. */
export type Subject =
  | { kind: "conversation" | "contact"; id: string }
  | { kind: "context"; contextId: string; sessionId: string };
