/** Changes of messages that are stored: edited, withdrawn, reacted to. */
import type { MessageRow } from "../../db/types.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { MAX_REACTIONS, MAX_REACTORS } from "../../protocol/native.ts";
import { previewOf } from "./replies.ts";
import { type Applied, log, type Operation, type UnitOfWork } from "./unit_of_work.ts";

/** @throws {ParleyError} `not_found` */
function find(
  unit: UnitOfWork,
  { messageId, actor }: Pick<Extract<Operation, { kind: "delete" }>, "messageId" | "actor">,
): MessageRow {
  const message = unit.messages.get(messageId);
  const isVisible = message?.type === "text" && (actor.role !== "visitor" || !message.is_private);
  if (isVisible) return message;
  throw new ParleyError("not_found", `Cannot find the message "${messageId}"`);
}

/** @throws {ParleyError} `not_found`, `forbidden`, `conflict` */
export function changeMessage(
  unit: UnitOfWork,
  operation: Extract<Operation, { kind: "edit" | "delete" }>,
  now: Date,
): Applied {
  const message = find(unit, operation);
  const { actor } = operation;
  const admin = actor.principal?.kind === "agent" && actor.principal.role === "admin";
  const own = message.sender_id === actor.userId;
  if (!own && !(operation.kind === "delete" && admin)) {
    throw new ParleyError("forbidden", `Cannot ${operation.kind} the message: it is not yours`);
  }
  if (message.deleted_at !== null) {
    if (operation.kind === "delete") return { message, duplicate: true };
    throw new ParleyError("conflict", "Cannot edit the message: it was deleted");
  }
  // An admin may always delete: that is moderation.
  if (!(operation.kind === "delete" && admin)) checkWindow(operation, message, now);
  if (operation.kind === "edit") {
    if (message.content === operation.content) return { message, duplicate: true };
    message.content = operation.content;
    message.formatted = operation.formatted;
    message.edited_at = now;
  } else {
    message.content = "";
    message.formatted = null;
    message.reactions = null;
    message.deleted_at = now;
  }
  unit.changedMessages.add(message);
  const type = operation.kind === "edit" ? "message_updated" : "message_deleted";
  const { userId, userName, role } = actor;
  log(unit, type, message, message.is_private, { actor: { userId, userName, role } }, now);
  if (unit.row.last_message_seq === message.seq) {
    unit.row.last_message_preview = operation.kind === "edit" ? previewOf(message) : "";
  }
  return { message, duplicate: false };
}

/** @throws {ParleyError} `conflict` */
function checkWindow(
  { kind, withinMinutes = Infinity }: Extract<Operation, { kind: "edit" | "delete" }>,
  { created_at }: MessageRow,
  now: Date,
): void {
  if (withinMinutes === 0) {
    throw new ParleyError("conflict", `Cannot ${kind} the message: this is switched off here`);
  }
  if (now.getTime() - created_at.getTime() <= withinMinutes * 60_000) return;
  const time = withinMinutes === 1 ? "1 minute" : `${withinMinutes} minutes`;
  throw new ParleyError("conflict", `Cannot ${kind} the message: it is older than ${time}`);
}

/**
 * Adds a reaction of the actor, or removes it.
 *
 * @throws {ParleyError} `not_found`, `conflict`
 */
export function react(
  unit: UnitOfWork,
  operation: Extract<Operation, { kind: "react" }>,
  now: Date,
): Applied {
  const message = find(unit, operation);
  const { emoji, isAdded, actor } = operation;
  const { userId, userName, role } = actor;
  const refuse = (why: string): never => {
    throw new ParleyError("conflict", `Cannot react to the message: ${why}`);
  };
  if (message.deleted_at !== null) return refuse("it was deleted");
  const all = message.reactions ?? [];
  const known = all.find((one) => one.emoji === emoji);
  if ((known?.userIds.includes(userId) ?? false) === isAdded) return { message, duplicate: true };
  if (isAdded && known === undefined && all.length >= MAX_REACTIONS) {
    return refuse(`it has ${all.length} different reactions already`);
  }
  if (isAdded && known !== undefined && known.userIds.length >= MAX_REACTORS) {
    return refuse(`${known.userIds.length} people have reacted in this way already`);
  }
  operation.admit?.();
  const others = known?.userIds.filter((id) => id !== userId) ?? [];
  const userIds = isAdded ? [...others, userId] : others;
  const next = known === undefined
    ? [...all, { emoji, userIds }]
    : all.map((one) => one === known ? { emoji, userIds } : one).filter((one) =>
      one.userIds.length > 0
    );
  message.reactions = next.length === 0 ? null : next;
  unit.changedMessages.add(message);
  const reaction = { emoji, isAdded };
  const who = { userId, userName, role };
  log(unit, "message_updated", message, message.is_private, { reaction, actor: who }, now);
  return { message, duplicate: false };
}
