/** The end of a snooze: a scheduled job for each conversation that is snoozed until a time. */
import { z } from "zod";
import { ParleyError } from "../../protocol/errors.ts";
import { Id, Timestamp } from "../../protocol/model.ts";
import type { EventBus } from "../events.ts";
import type { JobQueue } from "../jobs/queue.ts";
import { WAKE } from "./storage.ts";
import { SYSTEM } from "./unit_of_work.ts";
import type { Writer } from "./writer.ts";

const Payload = z.strictObject({ conversationId: Id, until: Timestamp, by: Id.optional() });

const DAY = 86_400_000;
/** How far away the end of a snooze may be. */
const MAX_SNOOZE_DAYS = 366;

/** @throws {ParleyError} `invalid` unless it is in the future, within a year. */
export function needSnoozeEnd(until: Date, now = new Date()): void {
  const ms = until.getTime() - now.getTime();
  if (ms > 0 && ms <= MAX_SNOOZE_DAYS * DAY) return;
  const message = ms > 0 ? "must be within a year" : "must be in the future";
  throw new ParleyError(
    "invalid",
    `Cannot snooze the conversation: "${until.toISOString()}" ${message}`,
    { fields: [{ path: "snoozedUntil", message }] },
  );
}

/** Wakes conversations when their snooze ends, on one node. */
export function wakeSnoozed(
  { bus, jobQueue, writer }: { bus: EventBus; jobQueue: JobQueue; writer: Writer },
): void {
  jobQueue.handle(WAKE, {
    payload: Payload,
    async run({ conversationId, until, by: snoozedBy }) {
      const wake = { kind: "wake", until: new Date(until), snoozedBy, actor: SYSTEM } as const;
      try {
        await writer.write({ ...wake, conversationId });
      } catch (error) {
        // It was deleted meanwhile.
        if (!(error instanceof ParleyError && error.code === "not_found")) throw error;
      }
    },
  });
  bus.on("conversation.updated", ({ conversation: { snoozedUntil } }) => {
    if (snoozedUntil) jobQueue.expect(new Date(snoozedUntil));
  });
}
