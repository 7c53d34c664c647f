/**
 * Applies each durable change to the state of a conversation, without I/O: the writer loads the
 * state, applies everything that waits, and stores the result.
 */
import type { MessageRow } from "../../db/types.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { ConversationStatus, Priority } from "../../protocol/model.ts";
import { assign, autoAssign, setTeam, unassignDisabled } from "./assigning.ts";
import { changeLabels } from "./label_change.ts";
import { changeMessage, react } from "./message_changes.ts";
import { takeFiles } from "./message_files.ts";
import { movePointer } from "./pointers.ts";
import { priorityLevel } from "./priority.ts";
import { previewOf, takeQuoted } from "./replies.ts";
import { needUnblocked } from "../principal.ts";
import { maySee } from "./rights.ts";
import {
  type Actor,
  type Applied,
  clientKey,
  log,
  logActivity,
  newMessage,
  type Operation,
  type UnitOfWork,
} from "./unit_of_work.ts";

export function apply(unit: UnitOfWork, operation: Operation, now: Date): Applied {
  const { row } = unit;
  const { actor } = operation;
  if (actor.principal !== null && !maySee(actor.principal, row)) {
    throw new ParleyError(
      "not_found",
      `Cannot find the conversation "${operation.conversationId}"`,
    );
  }
  if (actor.principal !== null && operation.kind !== "pointer") needUnblocked(actor.principal);
  switch (operation.kind) {
    case "message":
      return addMessage(unit, operation, now);
    case "edit":
    case "delete":
      return changeMessage(unit, operation, now);
    case "react":
      return react(unit, operation, now);
    case "status":
      return { message: setStatus(unit, actor, operation.status, now), duplicate: false };
    case "snooze":
      return { message: snooze(unit, actor, operation.until, now), duplicate: false };
    case "wake":
      return wake(unit, actor, operation, now);
    case "assign":
      if (operation.from !== undefined && operation.from !== row.assignee_id) {
        return { message: null, duplicate: true };
      }
      return {
        message: assign(unit, actor, operation.assignee, now, operation.because),
        duplicate: false,
      };
    case "auto_assign":
      return autoAssign(unit, operation.available, now);
    case "priority":
      return { message: setPriority(unit, actor, operation.priority, now), duplicate: false };
    case "team":
      if (operation.from !== undefined && operation.from !== row.team_id) {
        return { message: null, duplicate: true };
      }
      return { message: setTeam(unit, actor, operation.team, now), duplicate: false };
    case "labels":
      return changeLabels(unit, actor, operation.change, now);
    case "rated":
      return {
        message: logActivity(unit, actor, operation.what, { rated: true }, now),
        duplicate: false,
      };
    case "pointer":
      unit.movedExplicitly.add(actor.userId);
      movePointer(unit, actor, Math.min(operation.seq, row.last_seq), operation.read, now);
      return { message: null, duplicate: false };
  }
}

function addMessage(
  unit: UnitOfWork,
  operation: Extract<Operation, { kind: "message" }>,
  now: Date,
): Applied {
  const { row } = unit;
  const { actor, clientMessageId } = operation;
  if (clientMessageId !== null) {
    const known = unit.byClientId.get(clientKey(actor.userId, clientMessageId));
    if (known !== undefined) return { message: known, duplicate: true };
  }
  const isVisitor = actor.role === "visitor";
  const isPrivate = operation.isPrivate && !isVisitor;
  const { replyToId } = operation;
  const quoted = replyToId === undefined
    ? null
    : takeQuoted(unit, replyToId, { isPrivate, isVisitor });
  const files = operation.files === undefined ? null : takeFiles(unit, operation.files);
  operation.admit?.();
  if (actor.role === "visitor" && (row.status === "resolved" || row.status === "snoozed")) {
    setStatus(unit, { ...actor, role: "visitor" }, "open", now);
  }
  if (actor.role === "visitor") unassignDisabled(unit, now);
  // A conversation has two sides, however many visitors share it: what any of them writes is
  // inbound, and unread for every agent who has not read so far. What agents write is outbound, and
  // unread for each visitor by their own pointer. What one visitor writes is not unread for others.
  const counts = !isPrivate;
  const isAwaited = row.waiting_since !== null;
  if (counts && actor.role === "visitor") {
    row.inbound_count++;
    row.waiting_since ??= now;
  } else if (counts) {
    row.outbound_count++;
    // A response by a bot does not end the wait for a person.
    if (actor.role !== "bot") row.waiting_since = null;
  }
  const message = newMessage(unit, actor, operation.content, "text", isPrivate, now);
  message.client_message_id = clientMessageId;
  message.files = files;
  message.formatted = operation.formatted ?? null;
  message.reply_to_id = replyToId ?? null;
  message.quoted = quoted;
  if (actor.principal?.kind === "visitor") message.session_id = actor.principal.sessionHash;
  if (clientMessageId !== null) {
    unit.byClientId.set(clientKey(actor.userId, clientMessageId), message);
  }
  log(unit, "message", message, isPrivate, {}, now);
  row.last_message_seq = message.seq;
  row.last_message_preview = previewOf(message);
  row.last_message_role = message.sender_role;
  row.last_message_sender_id = message.sender_id;
  row.last_message_sender_name = message.sender_name;
  row.last_message_private = isPrivate;
  row.last_message_at = now;
  row.last_activity_at = now;
  // The sender has read everything before. The other side does not see notes, so they are explicit.
  if (actor.role === "agent" || actor.role === "visitor") {
    if (isPrivate) unit.movedExplicitly.add(actor.userId);
    movePointer(unit, actor, message.seq, true, isPrivate ? now : null);
  }
  // A context is a room that a website shares among people: to speak in it is not to take it.
  const isOwn = row.context_id === null;
  if (operation.takes && isAwaited && isOwn && row.assignee_id === null) {
    assign(unit, actor, { userId: actor.userId, userName: actor.userName }, now);
  }
  return { message, duplicate: false };
}

const STATUS_VERB: Record<ConversationStatus, string> = {
  open: "reopened the conversation",
  pending: "marked the conversation as pending",
  snoozed: "snoozed the conversation",
  resolved: "resolved the conversation",
};

function setStatus(
  unit: UnitOfWork,
  actor: Actor,
  status: ConversationStatus,
  now: Date,
): MessageRow | null {
  const { row } = unit;
  if (row.status === status) return null;
  if (actor.role === "visitor" && status !== "open") {
    throw new ParleyError("forbidden", "Cannot change the status: only agents may");
  }
  row.status = status;
  row.resolved_at = status === "resolved" ? now : null;
  if (status === "resolved") row.waiting_since = null;
  const message = logActivity(unit, actor, STATUS_VERB[status], { status }, now);
  if (status !== "resolved") unassignDisabled(unit, now);
  return message;
}

/**
 * The time of an activity line, which the inbox shows in the reader's zone (components/inbox/
 * activity_text.ts).
 */
function timeText(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function snooze(
  unit: UnitOfWork,
  actor: Actor,
  until: Date | null,
  now: Date,
): MessageRow | null {
  const { row } = unit;
  if (row.status === "snoozed" && row.snoozed_until?.getTime() === until?.getTime()) return null;
  row.status = "snoozed";
  row.resolved_at = null;
  row.snoozed_until = until;
  unit.changedColumns.add("snoozed_until");
  unit.snoozedBy = actor.role === "agent" ? actor.userId : null;
  const end = until === null ? "the next reply" : timeText(until);
  const payload = { status: row.status, snoozedUntil: until?.toISOString() ?? null };
  const message = logActivity(unit, actor, `${STATUS_VERB.snoozed} until ${end}`, payload, now);
  unassignDisabled(unit, now);
  return message;
}

/** Also moves the conversation to the top of the list, where agents look. */
function wake(
  unit: UnitOfWork,
  actor: Actor,
  { until, snoozedBy }: Extract<Operation, { kind: "wake" }>,
  now: Date,
): Applied {
  const { row } = unit;
  if (row.status !== "snoozed" || row.snoozed_until?.getTime() !== until.getTime()) {
    return { message: null, duplicate: true };
  }
  row.status = "open";
  row.last_activity_at = now;
  const what = { sentence: "The conversation is back: its snooze has ended" };
  const message = logActivity(unit, actor, what, {
    status: row.status,
    ...(snoozedBy === undefined ? {} : { snoozedBy }),
  }, now);
  unassignDisabled(unit, now);
  return { message, duplicate: false };
}

function setPriority(
  unit: UnitOfWork,
  actor: Actor,
  priority: Priority,
  now: Date,
): MessageRow | null {
  const level = priorityLevel(priority);
  if (unit.row.priority === level) return null;
  unit.row.priority = level;
  unit.changedColumns.add("priority");
  const what = level === 0 ? "removed the priority" : `set the priority to ${priority}`;
  return logActivity(unit, actor, what, { priority }, now);
}
