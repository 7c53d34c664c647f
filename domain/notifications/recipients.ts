import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { DEFAULT_PREFERENCES, type NotificationKind } from "../../protocol/notifications.ts";
import { isolate } from "../../protocol/visible_text.ts";
import { TEAM_KINDS, type Trigger } from "./triggers.ts";
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

/** A row of `notifications` before it is stored. */
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
  triggers: readonly Trigger[],
  agents: ReadonlyMap<string, Agent>,
): NewNotification[] {
  const rows: NewNotification[] = [];
  const messages = new Map<string, NewNotification>();
  /** Agents who are mentioned in a message get no second notification of it. */
  const mentioned = new Set<string>();
  for (const trigger of triggers) {
    for (const userId of recipientsOf(trigger, agents)) {
      if (trigger.kind === "mention") mentioned.add(`${trigger.messageId} ${userId}`);
      if (!agents.get(userId)!.wants(trigger.kind)) continue;
      if (trigger.kind !== "message") {
        rows.push(toRow(trigger, userId));
        continue;
      }
      if (mentioned.has(`${trigger.messageId} ${userId}`)) continue;
      const key = `${trigger.conversationId} ${userId}`;
      const row = toRow(trigger, userId);
      const before = messages.get(key);
      row.data.count += before?.data.count ?? 0;
      if (row.data.count > 1) row.title = severalTitle(row.data.count, trigger.contactName);
      messages.set(key, row);
    }
  }
  return [...rows, ...messages.values()];
}

/** Keeps who was mentioned where, also of those who want no notification of it. */
export async function insertMentions(
  db: Db,
  triggers: readonly Trigger[],
  agents: ReadonlyMap<string, Agent>,
): Promise<void> {
  const rows = triggers.flatMap((trigger) => {
    const { kind, conversationId: conversation_id, messageId: message_id, at } = trigger;
    if (kind !== "mention" || message_id === null) return [];
    return recipientsOf(trigger, agents).map((user_id) => ({
      user_id,
      conversation_id,
      message_id,
      created_at: at,
    }));
  });
  if (rows.length === 0) return;
  // The conversation may be erased meanwhile.
  await sql`insert into mentions (user_id, conversation_id, message_id, created_at)
    select r.user_id, r.conversation_id, r.message_id, r.created_at
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r(user_id uuid, conversation_id uuid, message_id uuid, created_at timestamptz)
    where exists (select from chat_messages m where m.id = r.message_id)
    on conflict do nothing`.execute(db);
}

/** The same words as in `insertNotifications`, where a notification grows. */
function severalTitle(count: number, contactName: string): string {
  return `${count} new messages in the conversation with ${isolate(contactName)}`;
}

function recipientsOf(trigger: Trigger, agents: ReadonlyMap<string, Agent>): string[] {
  const all = [...agents.keys()];
  const named = trigger.to === "everybody"
    ? all
    : trigger.to === "mentioned"
    ? mentionedIn(trigger.mentionIn ?? "", agents.values())
    : trigger.to.filter((id) => agents.has(id));
  // Where the assignee is disabled, the whole team is notified.
  const orAll = named.length === 0 && TEAM_KINDS.includes(trigger.kind) ? all : named;
  return orAll.filter((id) => id !== trigger.actorId);
}

function toRow(trigger: Trigger, userId: string): NewNotification {
  const { kind, title, conversationId, seq, count, contactName, messageId, at } = trigger;
  return {
    id: uuidv7(),
    user_id: userId,
    kind,
    title,
    conversation_id: conversationId,
    data: { seq, count, contactName, ...(messageId === null ? {} : { messageId }) },
    cause: trigger.dedupKey,
    created_at: at,
  };
}
