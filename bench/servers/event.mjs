/**
 * The event that every server broadcasts: 205 bytes of JSON, always of the same length, with its
 * seq.
 */
export const FIRST_SEQ = 1_000_000;
export const CONVERSATION = "00000000-0000-4000-9000-000000000000";

/** The event with this seq (seven digits), in the form of Parley's own durable events. */
export function makeEvent(seq) {
  const timestamp = new Date().toISOString();
  return {
    type: "message_deleted",
    timestamp,
    data: { conversationId: CONVERSATION, seq, messageId: CONVERSATION, deletedAt: timestamp },
  };
}
