/** Changes of a conversation's state: status, assignee, labels, and pointers. */
import type { Db } from "../../db/database.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { isolate } from "../../protocol/visible_text.ts";
import { findUser } from "../agents/users.ts";
import { needScope } from "../principal.ts";
import type { Access } from "./access.ts";
import { activeUser, actorOf } from "./actors.ts";
import { needLabels } from "./labels.ts";
import { needSnoozeEnd } from "./snoozing.ts";
import { readMany } from "./read_many.ts";
import type { Conversations } from "./types.ts";
import { SYSTEM } from "./unit_of_work.ts";
import type { Writer } from "./writer.ts";

export function createChanges(
  { db, writer, access }: { db: Db; writer: Writer; access: Access },
): Pick<Conversations, "update" | "read" | "delivered" | "readMany" | "rated"> {
  async function assigneeOf(assigneeId: string | null | undefined) {
    if (assigneeId === undefined || assigneeId === null) return assigneeId;
    const user = await activeUser(db, assigneeId);
    if (user !== null) return user;
    throw new ParleyError("invalid", `Cannot assign: there is no active user "${assigneeId}"`, {
      fields: [{ path: "assigneeId", message: "must be an active user's id" }],
    });
  }

  /** Unassigns an agent who was disabled while the conversation was assigned to them. */
  async function unassignDisabled(conversationId: string, userId: string): Promise<void> {
    if ((await findUser(db, userId))?.disabledAt === null) return;
    const assign = { kind: "assign", assignee: null, from: userId } as const;
    await writer.write({ ...assign, conversationId, actor: SYSTEM });
  }

  return {
    async update(caller, id, changes) {
      if (caller.kind === "visitor") {
        throw new ParleyError("forbidden", "Cannot change the conversation: only agents may");
      }
      needScope(caller, "conversations:write");
      const { status, labels } = changes;
      const assignee = await assigneeOf(changes.assigneeId);
      const until = changes.snoozedUntil ? new Date(changes.snoozedUntil) : null;
      if (until !== null) needSnoozeEnd(until);
      if (labels !== undefined) await needLabels(db, id, labels);
      const writes = [];
      const common = { conversationId: id, actor: actorOf(caller) };
      if (assignee !== undefined) {
        writes.push(writer.write({ ...common, kind: "assign", assignee }));
      }
      if (status === "snoozed") writes.push(writer.write({ ...common, kind: "snooze", until }));
      else if (status !== undefined) {
        writes.push(writer.write({ ...common, kind: "status", status }));
      }
      if (labels !== undefined) {
        writes.push(writer.write({ ...common, kind: "labels", change: labels }));
      }
      await Promise.all(writes);
      if (assignee) await unassignDisabled(id, assignee.userId);
      return await access.viewWithUnread(await access.load(caller, id), caller);
    },

    async rated(principal, conversationId, { rating, comment, before }) {
      const words = [];
      if (before === null) words.push(`rated the conversation ${rating} of 5`);
      else if (before.rating !== rating) words.push(`changed the rating to ${rating} of 5`);
      if (comment !== "" && comment !== (before?.comment ?? "")) {
        const said = `“${isolate(comment)}”`;
        words.push(words.length === 0 ? `commented on the rating: ${said}` : said);
      }
      if (words.length === 0) return;
      const what = words.join(": ");
      const actor = actorOf(principal);
      await writer.write({ kind: "rated", conversationId, actor, what });
    },

    async read(principal, conversationId, seq) {
      const actor = actorOf(principal);
      const move = { kind: "pointer", conversationId, actor, seq, read: true } as const;
      const { pointer, row } = await writer.write(move);
      return {
        readSeq: pointer?.read_seq ?? 0,
        unread: principal.kind === "agent"
          ? row.inbound_count - (pointer?.read_inbound ?? 0)
          : row.outbound_count - (pointer?.read_outbound ?? 0),
      };
    },

    async delivered(principal, conversationId, seq) {
      const actor = actorOf(principal);
      const move = { kind: "pointer", conversationId, actor, seq, read: false } as const;
      const { pointer } = await writer.write(move);
      return { deliveredSeq: pointer?.delivered_seq ?? 0 };
    },

    async readMany(principal, which) {
      if (principal.kind !== "agent") {
        throw new ParleyError("forbidden", "Cannot read many conversations: only agents may");
      }
      return await readMany(db, writer, actorOf(principal), which);
    },
  };
}
