import type { Db } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { DEFAULT_PREFERENCES, type NotificationKind } from "../../protocol/notifications.ts";
import { CALLS, type Cause } from "./causes.ts";
import { mentionedIn } from "./mentions.ts";

export interface Agent {
  id: string;
  name: string;
  wants(kind: NotificationKind): boolean;
}

/** Everybody who can be notified. */
export async function loadAgents(db: Db): Promise<Map<string, Agent>> {
  const rows = await db.selectFrom("users as u")
    .leftJoin("notification_preferences as p", "p.user_id", "u.id")
    .where("u.disabled_at", "is", null).select(["u.id", "u.name", "p.kinds"]).execute();
  return new Map(rows.map(({ id, name, kinds }) => {
    const wants = (kind: NotificationKind) =>
      kinds?.[kind]?.["bell"] ?? DEFAULT_PREFERENCES[kind].bell;
    return [id, { id, name, wants }];
  }));
}

/** A row of `notifications` that is to be made. */
export interface NewNotification {
  id: string;
  user_id: string;
  kind: NotificationKind;
  title: string;
  conversation_id: string;
  data: { seq: number; count: number; contactName: string; messageId?: string };
  cause: string | null;
  created_at: string;
}

/** One row for each agent who wants it; messages of one conversation are one row. */
export function rowsOf(
  causes: readonly Cause[],
  agents: ReadonlyMap<string, Agent>,
): NewNotification[] {
  const rows: NewNotification[] = [];
  const messages = new Map<string, NewNotification>();
  /** Who is mentioned in a message is not also told that there is one. */
  const mentioned = new Set<string>();
  for (const cause of causes) {
    for (const userId of recipientsOf(cause, agents)) {
      if (cause.kind === "mention") mentioned.add(`${cause.messageId} ${userId}`);
      if (!agents.get(userId)!.wants(cause.kind)) continue;
      if (cause.kind !== "message") {
        rows.push(toRow(cause, userId));
        continue;
      }
      if (mentioned.has(`${cause.messageId} ${userId}`)) continue;
      const key = `${cause.conversationId} ${userId}`;
      const row = toRow(cause, userId);
      const before = messages.get(key);
      row.data.count += before?.data.count ?? 0;
      if (row.data.count > 1) row.title = severalTitle(row.data.count, cause.contactName);
      messages.set(key, row);
    }
  }
  return [...rows, ...messages.values()];
}

/** The same words as in `insertNotifications`, where one grows that was there before. */
function severalTitle(count: number, contactName: string): string {
  return `${count} new messages in the conversation with ${contactName}`;
}

function recipientsOf(cause: Cause, agents: ReadonlyMap<string, Agent>): string[] {
  const all = [...agents.keys()];
  const named = cause.to === "everybody"
    ? all
    : cause.to === "mentioned"
    ? mentionedIn(cause.mentionIn ?? "", agents.values())
    : cause.to.filter((id) => agents.has(id));
  // Whose conversation it was may be gone; then it is everybody's.
  const orAll = named.length === 0 && CALLS.includes(cause.kind) ? all : named;
  return orAll.filter((id) => id !== cause.actorId);
}

function toRow(cause: Cause, userId: string): NewNotification {
  const { kind, title, conversationId, seq, count, contactName, messageId, at } = cause;
  return {
    id: uuidv7(),
    user_id: userId,
    kind,
    title,
    conversation_id: conversationId,
    data: { seq, count, contactName, ...(messageId === null ? {} : { messageId }) },
    cause: cause.cause,
    created_at: at,
  };
}
