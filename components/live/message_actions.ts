import { signal } from "@preact/signals";
import type { Message } from "../../protocol/model.ts";
import type { ParleyClient } from "../../client/mod.ts";
import { serverNow } from "./server_time.ts";
import type { ThreadModel } from "./thread_model.ts";

export interface MessageActionsOptions {
  userId: string;
  isAdmin: () => boolean;
  client: () => ParleyClient | null;
  thread: Pick<ThreadModel, "snapshot" | "store">;
  fail: (error: unknown) => void;
}

/** A message whose text is being edited. It is kept when the message scrolls out of view. */
export interface Editing {
  message: Message;
  text: string;
  /** Where the focus goes afterwards. */
  from: HTMLElement | null;
}

export type MessageActions = ReturnType<typeof createMessageActions>;

/** What an agent does with a message that is there already. */
export function createMessageActions(
  { userId, isAdmin, client, thread, fail }: MessageActionsOptions,
) {
  const editing = signal<Editing | null>(null);
  const withdrawing = signal<Message | null>(null);
  const replyingTo = signal<Message | null>(null);
  const reacting = signal<Message | null>(null);

  const isThere = ({ type, deletedAt }: Message) => type === "text" && deletedAt === null;
  const isRecent = ({ createdAt }: Message) =>
    serverNow() - Date.parse(createdAt) < (client()?.identity?.editWindowMs ?? 0);
  const mayEdit = (message: Message) =>
    message.sender.userId === userId && isThere(message) && message.content !== "" &&
    isRecent(message);
  const mayWithdraw = (message: Message) =>
    isThere(message) && (isAdmin() || message.sender.userId === userId && isRecent(message));

  function edit(message: Message) {
    editing.value = {
      message,
      text: message.content,
      from: document.activeElement as HTMLElement | null,
    };
  }

  /** The message that the next one replies to. The contact must not see anything of a note. */
  function replied(isPrivate: boolean): Message | null {
    const message = replyingTo.value;
    return message !== null && (isPrivate || !message.isPrivate) ? message : null;
  }

  return {
    replyingTo,
    replied,
    /** For the message that is sent now, once. */
    takeReply(isPrivate: boolean): { replyToId?: string } {
      const message = replied(isPrivate);
      if (message === null) return {};
      replyingTo.value = null;
      return { replyToId: message.id };
    },
    /** Of a message that comes back into the composer. */
    giveReplyBack({ replyToId }: { replyToId?: string }) {
      if (replyToId === undefined) return;
      const { items } = thread.snapshot.value;
      replyingTo.value = items.find(({ message }) => message?.id === replyToId)?.message ?? null;
    },
    /** The message for which an emoji is picked. */
    reacting,
    /** Adds this agent's reaction, or removes it. */
    react({ id: messageId, conversationId, reactions = [] }: Message, emoji: string) {
      const known = reactions.find((one) => one.emoji === emoji);
      const remove = known?.userIds.includes(userId) ?? false;
      client()?.request("react", { conversationId, messageId, emoji, remove }).catch(fail);
    },
    /** Whether it can be replied and reacted to. */
    mayReply: isThere,
    editing,
    /** The message for which confirmation is asked. */
    withdrawing,
    mayEdit,
    mayWithdraw,
    edit,
    /** The last own message, if it can still be edited. */
    editLast(): boolean {
      const last = thread.snapshot.value.items.findLast(({ message }) =>
        message?.sender.userId === userId && isThere(message)
      )?.message;
      if (!last || !mayEdit(last)) return false;
      edit(last);
      return true;
    },
    /** Rejects with the server's reason. */
    async save(message: Message, text: string): Promise<void> {
      await thread.store()?.editMessage(message.id, text);
    },
    async withdraw(message: Message): Promise<void> {
      await thread.store()?.deleteMessage(message.id);
    },
  };
}
