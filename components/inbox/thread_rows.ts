/** The items of a conversation as lines: day separators, new messages, activity, bubbles. */
import type { Message, Pointers, Quote } from "../../protocol/model.ts";
import type { ThreadItem } from "../../client/mod.ts";
import { contactName } from "../format/names.ts";
import { type Clock, dayKey } from "../format/time.ts";
import { toServerTime } from "../live/server_time.ts";

/** How far a message of this side got; "sending" and "failed" have not reached the server. */
export type Receipt = "sending" | "failed" | "sent" | "delivered" | "read";

export interface BubbleLine {
  kind: "bubble";
  key: string;
  item: ThreadItem;
  /** "own" is the team (agents and bots), "contact" the other side. */
  side: "own" | "contact";
  isPrivate: boolean;
  senderId: string;
  senderName: string;
  content: string;
  createdAt: string;
  isDeleted: boolean;
  isEdited: boolean;
  /** The beginning of the message that it replies to, and its id. */
  quote: (Quote & { id: string }) | null;
  /** The first and the last bubble of a group show the name and avatar, and the time. */
  startsGroup: boolean;
  endsGroup: boolean;
  /** Only of the own side, and only where it differs from the next own message's. */
  receipt: Receipt | null;
}

export type ThreadLine =
  | { kind: "day"; key: string; iso: string }
  /** Before the first message that was not read when the conversation was opened. */
  | { kind: "new"; key: string }
  | { kind: "activity"; key: string; message: Message; text: string }
  | BubbleLine;

export interface Self {
  id: string;
  name: string;
}

/** Bubbles of one sender within this time form a group. */
const GROUP_MS = 5 * 60_000;
const QUARTER_MS = 15 * 60_000;

export function threadLines(
  items: readonly ThreadItem[],
  pointers: Pointers,
  self: Self,
  clock: Clock,
  newFrom: string | null = null,
): ThreadLine[] {
  const lines: ThreadLine[] = [];
  let day = "";
  /** By quarters of an hour, which every zone's day begins with: asking for each message is slow. */
  const days = new Map<number, string>();
  const dayOf = (iso: string) => {
    const quarter = Math.floor(Date.parse(iso) / QUARTER_MS);
    const known = days.get(quarter);
    if (known !== undefined) return known;
    days.set(quarter, dayKey(iso, clock));
    return days.get(quarter)!;
  };
  for (const item of items) {
    const { message, pending } = item;
    if (message === null && pending === null) continue;
    const createdAt = message?.createdAt ?? toServerTime(pending!.createdAt);
    const key = dayOf(createdAt);
    if (key !== day) {
      day = key;
      lines.push({ kind: "day", key: `day-${key}-${item.key}`, iso: createdAt });
    }
    if (item.key === newFrom) lines.push({ kind: "new", key: "new" });
    if (item.message?.type === "activity") {
      const { message } = item;
      lines.push({ kind: "activity", key: item.key, message, text: activityText(message, self) });
    } else {
      const line = bubble(item, pointers, self, createdAt);
      if (pending?.replyToId !== undefined) line.quote = quoteIn(items, pending.replyToId);
      lines.push(line);
    }
  }
  return group(lines);
}

/** What this agent did is told as "You resolved the conversation". */
function activityText({ content, sender }: Message, self: Self): string {
  const { userId, userName } = sender;
  return userId === self.id && content.startsWith(`${userName} `)
    ? `You${content.slice(userName.length)}`
    : content;
}

/**
 * The key of the first of the newest `unread` messages of the contact; null: there are none, or this
 * agent has answered since.
 */
export function firstUnread(
  items: readonly ThreadItem[],
  unread: number,
  selfId: string,
): string | null {
  let key: string | null = null;
  let left = unread;
  for (let i = items.length - 1; i >= 0 && left > 0; i--) {
    const { key: its, message, pending } = items[i]!;
    if (pending !== null || message?.sender.userId === selfId) return null;
    if (message?.sender.role !== "visitor" || message.type !== "text") continue;
    key = its;
    left--;
  }
  return key;
}

function bubble(item: ThreadItem, pointers: Pointers, self: Self, createdAt: string): BubbleLine {
  const { message, pending } = item;
  const side = message === null || message.sender.role !== "visitor" ? "own" : "contact";
  const isPrivate = message?.isPrivate ?? pending?.isPrivate ?? false;
  const { userId = self.id, userName = self.name } = message?.sender ?? {};
  const sender = { id: userId, name: userName };
  return {
    kind: "bubble",
    key: item.key,
    item,
    side,
    isPrivate,
    senderId: sender.id,
    senderName: contactName(sender),
    content: message?.content ?? pending?.content ?? "",
    createdAt,
    isDeleted: message !== null && message.deletedAt !== null,
    isEdited: message !== null && message.editedAt !== null && message.deletedAt === null,
    quote: message?.replyToId && message.quote ? { ...message.quote, id: message.replyToId } : null,
    startsGroup: true,
    endsGroup: true,
    receipt: side === "own" ? receiptOf(item, pointers, isPrivate) : null,
  };
}

/** While the reply is being sent. */
function quoteIn(items: readonly ThreadItem[], id: string): BubbleLine["quote"] {
  const message = items.find((one) => one.message?.id === id)?.message;
  if (!message) return null;
  const { seq, sender, content, files } = message;
  return { id, seq, sender, preview: content.slice(0, 200) || (files?.[0]?.name ?? "") };
}

/** Notes never reach the contact, so a stored note has no receipt. */
export function receiptOf(
  item: ThreadItem,
  pointers: Pointers,
  isPrivate: boolean,
): Receipt | null {
  if (item.message === null) return item.pending?.state ?? null;
  if (isPrivate) return null;
  const { seq, status } = item.message;
  if (status === "read" || seq <= pointers.contactReadSeq) return "read";
  if (status === "delivered" || seq <= pointers.contactDeliveredSeq) return "delivered";
  return "sent";
}

function group(lines: ThreadLine[]): ThreadLine[] {
  let nextReceipt: Receipt | null = null;
  for (let i = lines.length - 1; i >= 0; i--) {
    const line = lines[i]!;
    if (line.kind !== "bubble") continue;
    const before = lines[i - 1];
    if (before?.kind === "bubble" && belong(before, line)) {
      before.endsGroup = false;
      line.startsGroup = false;
    }
    // Pointers only move forwards, so the last message with a receipt shows it for those above.
    if (line.receipt === null || line.receipt === "failed") continue;
    if (line.receipt === nextReceipt && line.receipt !== "sending") line.receipt = null;
    else nextReceipt = line.receipt;
  }
  return lines;
}

function belong(a: BubbleLine, b: BubbleLine): boolean {
  return a.side === b.side && a.senderId === b.senderId && a.isPrivate === b.isPrivate &&
    Date.parse(b.createdAt) - Date.parse(a.createdAt) < GROUP_MS;
}
