/** Changes of a conversation's state: status, assignee, labels, and pointers. */
import type { BulkAnswer } from "../../protocol/conversation_changes.ts";
import type { Db } from "../../db/database.ts";
import { ParleyError, toParleyError } from "../../protocol/errors.ts";
import { isolate } from "../../protocol/visible_text.ts";
import { findUser } from "../agents/users.ts";
import { teamNamed } from "../teams/teams.ts";
import type { EventBus } from "../events.ts";
import { type Caller, needScope } from "../principal.ts";
import type { Access } from "./access.ts";
import { activeUser, actorOf } from "./actors.ts";
import { needLabels } from "./labels.ts";
import { needSnoozeEnd } from "./snoozing.ts";
import { readMany } from "./read_many.ts";
import type { ConversationChanges, Conversations } from "./types.ts";
import { SYSTEM } from "./unit_of_work.ts";
import { markUnread } from "./mark_unread.ts";
import { unreadFor } from "./unread.ts";
import type { Writer } from "./writer.ts";

export interface ChangesOptions {
  db: Db;
  bus: EventBus;
  writer: Writer;
  access: Access;
  onError: (error: unknown) => void;
}

/** A change that has been checked. */
type Prepared = ConversationChanges & {
  until: Date | null;
  assignee: { userId: string; userName: string } | null | undefined;
  team: { id: string; name: string } | null | undefined;
};

export function createChanges(
  { db, bus, writer, access, onError }: ChangesOptions,
): Pick<
  Conversations,
  "update" | "updateMany" | "read" | "delivered" | "readMany" | "markUnread" | "rated"
> {
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

  /** Checks everything that does not depend on the conversation. */
  async function prepare(caller: Caller, changes: ConversationChanges): Promise<Prepared> {
    if (caller.kind === "visitor") {
      throw new ParleyError("forbidden", "Cannot change the conversation: only agents may");
    }
    needScope(caller, "conversations:write");
    const until = changes.snoozedUntil ? new Date(changes.snoozedUntil) : null;
    if (until !== null) needSnoozeEnd(until);
    return {
      ...changes,
      until,
      assignee: await assigneeOf(changes.assigneeId),
      team: changes.teamId
        ? await teamNamed(db, changes.teamId)
        : changes.teamId as null | undefined,
    };
  }

  async function apply(caller: Caller, id: string, change: Prepared): Promise<void> {
    const { status, until, assignee, team, priority, labels } = change;
    if (labels !== undefined) await needLabels(db, id, labels);
    const common = { conversationId: id, actor: actorOf(caller) };
    const writes = [];
    // Before the assignment: a conversation that is given to a team may be assigned by it.
    if (team !== undefined) writes.push(writer.write({ ...common, kind: "team", team }));
    if (assignee !== undefined) writes.push(writer.write({ ...common, kind: "assign", assignee }));
    if (status === "snoozed") writes.push(writer.write({ ...common, kind: "snooze", until }));
    else if (status !== undefined) writes.push(writer.write({ ...common, kind: "status", status }));
    if (priority !== undefined) {
      writes.push(writer.write({ ...common, kind: "priority", priority }));
    }
    if (labels !== undefined) {
      writes.push(writer.write({ ...common, kind: "labels", change: labels }));
    }
    await Promise.all(writes);
    if (assignee) await unassignDisabled(id, assignee.userId);
  }

  return {
    async update(caller, id, changes) {
      const change = await prepare(caller, changes);
      await apply(caller, id, change);
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

    async updateMany(caller, ids, changes) {
      // What is wrong with the change is wrong for all of them.
      const change = await prepare(caller, changes);
      const unique = [...new Set(ids)];
      const results = await Promise.allSettled(unique.map((id) => apply(caller, id, change)));
      const answer: BulkAnswer = { changed: [], failed: [] };
      for (const [i, result] of results.entries()) {
        const id = unique[i]!;
        if (result.status === "fulfilled") answer.changed.push(id);
        else {
          const { code, message: detail } = toParleyError(result.reason);
          if (code === "internal") onError(result.reason);
          answer.failed.push({ id, code, detail });
        }
      }
      return answer;
    },

    async read(principal, conversationId, seq) {
      const actor = actorOf(principal);
      const move = { kind: "pointer", conversationId, actor, seq, read: true } as const;
      const { pointer, row } = await writer.write(move);
      return {
        readSeq: pointer?.read_seq ?? 0,
        unread: principal.kind === "agent"
          ? unreadFor(row, principal.userId, pointer?.read_inbound ?? null)
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

    async markUnread(principal, ids) {
      if (principal.kind !== "agent") {
        throw new ParleyError("forbidden", "Cannot mark as unread: only agents may");
      }
      return { unread: await markUnread(db, bus, principal.userId, ids) };
    },
  };
}
