import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { MacroActions } from "../../protocol/canned_responses.ts";
import { titleOf } from "../format/names.ts";
import type { HeldSend } from "../live/held_sends.ts";
import { MAX_CONTENT } from "../live/limits.ts";
import type { AttachmentsState } from "../files/use_attachments.ts";
import { readWriting, writeWriting, type Writing } from "../storage/drafts.ts";
import { useInbox } from "./context.ts";
import { useCollision } from "./use_collision.ts";
import { usePendingSend } from "./use_pending_send.ts";
import { useUnfilled } from "./use_unfilled.ts";
import { isolate, isVisible } from "../../protocol/visible_text.ts";

export type ComposerState = ReturnType<typeof useComposer>;

/**
 * What the composer of one conversation holds, and what can be done with it. An agent writes a reply
 * or a note alone (`own`), or a reply together with colleagues (`shared`). Reply and note are two
 * texts, so that what was written for the team is never sent to the contact.
 */
export function useComposer(
  id: string,
  box: RefObject<HTMLTextAreaElement>,
  attachments: AttachmentsState,
) {
  const inbox = useInbox();
  const { draft, drafts } = inbox;
  const key = { userId: inbox.user.id, conversationId: id };
  const [isPrivate, setPrivate] = useState(false);
  const [changed, setChanged] = useState(false);
  const [macro, setMacro] = useState<MacroActions | null>(null);
  /** A note was begun before this agent joined the shared reply. */
  const wasNote = useRef(false);
  const store = () => inbox.thread.store();
  const focus = () => requestAnimationFrame(() => box.current?.focus());
  const keep = (next: Partial<Writing>) =>
    writeWriting(key, {
      isPrivate,
      isShared: draft.joined.value,
      macro: macro ?? undefined,
      ...next,
    });
  const setReply = (next: string) => drafts.edit(id, "reply", next);

  const isOpen = draft.shared.value !== null;
  const shared = draft.joined.value && !isPrivate ? draft.shared.value : null;
  const mode = isPrivate ? "note" : "reply";
  const reply = drafts.of(id, "reply").content;
  const { content: own, other } = drafts.of(id, mode);
  const text = shared === null ? own : shared.text.value;
  const left = MAX_CONTENT - text.length;
  const collision = useCollision(shared === null ? reply : "");
  const unfilled = useUnfilled(shared === null ? own : "");

  // Not at the first render: the server, which renders it too, does not know the tab.
  useEffect(() => {
    const writing = readWriting(key);
    setPrivate(writing.isPrivate);
    setMacro(writing.macro ?? null);
    if (!inbox.phone.value && !isInListOrMenu()) box.current?.focus({ preventScroll: true });
    return () => store()?.typing(false);
  }, [id]);
  useEffect(() => {
    if (isOpen && readWriting(key).isShared) draft.join();
  }, [id, isOpen]);
  const pendingSend = usePendingSend(id, (restored) => {
    if (draft.joined.value && draft.join(restored)) return;
    setReply([drafts.of(id, "reply").content, restored].filter(Boolean).join("\n"));
  });

  function change(next: string) {
    drafts.edit(id, mode, next);
    // The visitor must not learn that a note is being written.
    store()?.typing(next.trim() !== "", isPrivate);
  }

  function setMode(next: "reply" | "note") {
    setPrivate(next === "note");
    keep({ isPrivate: next === "note" });
    store()?.typing(false);
    box.current?.focus();
  }

  function joinShared() {
    store()?.typing(false);
    // The agent's own text moves into the shared reply only while that is empty.
    const rest = draft.join(reply) ? "" : reply;
    wasNote.current = isPrivate && own.trim() !== "";
    setReply(rest);
    setPrivate(false);
    keep({ isPrivate: false });
    focus();
  }

  async function leaveShared() {
    const isFree = reply.trim() === "";
    const taken = await draft.leave(isFree);
    if (isFree) setReply(taken);
    setPrivate(wasNote.current);
    keep({ isPrivate: wasNote.current, isShared: false });
    wasNote.current = false;
    focus();
  }

  async function sendShared(then?: () => void) {
    const to = store();
    setChanged(false);
    pendingSend.begin(text);
    try {
      const taken = await draft.take();
      if (taken.trim() === "") return;
      // Another conversation may be open by now.
      const files = attachments.take(false);
      if (store() !== to) return void to?.send(taken, { files }).catch(() => {});
      const replied = inbox.messages.takeReply(false);
      void inbox.thread.send(taken, { files, ...replied }).then((error) =>
        error === null && then?.()
      );
      if (draft.writers.value.length === 0) await leaveShared();
    } catch {
      // A colleague edited or sent it at the same moment.
      setChanged(true);
    } finally {
      pendingSend.end();
    }
  }

  const isOffline = shared !== null && shared.status.value !== "ready";
  const hasFiles = attachments.list(isPrivate).length > 0;
  const hindrance = attachments.hindrance(isPrivate);
  const unavailable = hindrance !== null
    ? hindrance
    // A shared reply is taken out of its document, so it has a text.
    : !isVisible(text) && (!hasFiles || shared !== null)
    ? "Write something first"
    : left < 0
    ? "The message is too long"
    : isOffline
    ? "A shared reply can be sent when the connection is back"
    : null;

  function changeMacro(next: MacroActions | null) {
    setMacro(next);
    keep({ macro: next ?? undefined });
  }

  async function sendOwn(then?: () => void) {
    const { undoSendSeconds } = inbox.preferences.value;
    drafts.edit(id, mode, "");
    const files = attachments.take(isPrivate);
    const replied = inbox.messages.takeReply(isPrivate);
    if (!isPrivate && undoSendSeconds > 0) {
      store()?.typing(false);
      inbox.held.hold(
        { conversationId: id, content: own, files, ...replied, macro, then },
        undoSendSeconds,
      );
      return;
    }
    const error = await inbox.thread.send(own, { isPrivate, files, ...replied });
    if (error === null) {
      inbox.runMacro(id, macro);
      return then?.();
    }
    // Every other failure shows at the message itself.
    if (error.code !== "outbox_full") return;
    drafts.prepend(id, mode, own);
    attachments.putBack(isPrivate, files);
    inbox.messages.giveReplyBack(replied);
    inbox.fail(error);
  }

  /** Takes a reply back, with what a macro would have done. */
  function undoSend(one: HeldSend) {
    if (!inbox.held.undo(one)) return;
    setMode("reply");
    drafts.prepend(id, "reply", one.content);
    attachments.putBack(false, one.files);
    inbox.messages.giveReplyBack(one);
    if (one.macro !== null) changeMacro(one.macro);
    focus();
  }

  /** Keeps the reply on the server until its time. Rejects with an ApiError. */
  async function sendLater(sendAt: string): Promise<void> {
    await inbox.scheduled.schedule(id, reply, sendAt);
    drafts.edit(id, "reply", "");
    store()?.typing(false);
    focus();
  }

  /** @param then called when it was sent, which may be much later without a connection */
  function send(then?: () => void) {
    if (unavailable !== null) return;
    if (shared !== null) return void sendShared(then);
    if (!isPrivate && collision.blocks()) return;
    if (unfilled.blocks()) return;
    void sendOwn(then);
    changeMacro(null);
    box.current?.focus();
  }

  return {
    own,
    isPrivate,
    /** The reply that is written together; null while the agent writes alone. */
    shared,
    /** What is in the text area. */
    text,
    /** What the agent wrote on another device while this text was not saved; null: nothing. */
    other: shared === null ? other : null,
    /** Keeps this text, the other one, or both. */
    chooseText(choice: "this" | "other" | "both") {
      drafts.choose(id, mode, choice);
      focus();
    },
    /** Characters that still fit. */
    left,
    /** Why it cannot be sent now; null: it can. */
    unavailable,
    hasFiles,
    /** The shared reply changed at the moment it was sent. */
    changed,
    collision,
    unfilled,
    /** What a macro does when this is sent; null: nothing. */
    macro: shared === null ? macro : null,
    changeMacro,
    /** Replies that can still be taken back. */
    held: inbox.held.held.value.filter(({ conversationId }) => conversationId === id),
    undoSend,
    /** Replies that are sent later. */
    scheduled: inbox.scheduled.items.value.filter(({ conversationId }) => conversationId === id),
    sendLater,
    /** Puts a text back into the composer. */
    giveBack(content: string) {
      drafts.prepend(id, "reply", content);
      setMode("reply");
    },
    // Text that is typed before the shared text is loaded would be lost.
    canShare: isOpen && !["loading", "failed"].includes(draft.shared.value!.status.value),
    writers: draft.writers.value,
    contact: inbox.selected.value === null ? "the contact" : isolate(titleOf(inbox.selected.value)),
    change,
    setMode,
    joinShared,
    leaveShared,
    send,
    sendAndResolve: () => send(() => inbox.setStatus(id, "resolved")),
    sendAndSnooze: (until: Date | null) => send(() => inbox.snooze(id, until)),
    /** The shared text was edited here. */
    edited(value: string) {
      setChanged(false);
      store()?.typing(value.trim() !== "");
    },
    stopTyping: () => store()?.typing(false),
  };
}

/** With the keyboard in the list, the focus stays there when a conversation opens beside it. */
function isInListOrMenu(): boolean {
  return document.activeElement?.closest(".rows, [role=menu], dialog") != null;
}
