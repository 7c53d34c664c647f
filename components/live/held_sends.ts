import { signal } from "@preact/signals";
import type { ParleyClient, ParleyClientError } from "../../client/mod.ts";
import { newId } from "../../client/outbox.ts";
import type { MacroActions } from "../../protocol/canned_responses.ts";
import type { MessageFile } from "../../protocol/model.ts";
import { readHeld, writeHeld } from "../storage/drafts.ts";
import type { ApiRequest } from "./api.ts";

/** A reply that was sent and can still be taken back. */
export interface HeldSend {
  clientMessageId: string;
  conversationId: string;
  content: string;
  files?: MessageFile[] | undefined;
  replyToId?: string;
  /** Milliseconds since 1970. */
  until: number;
  /** What else is done when it is sent. */
  macro: MacroActions | null;
  /** Called when it is stored; the page that comes after this one does not know it. */
  then?: (() => void) | undefined;
}

export interface HeldDeps {
  userId: string;
  client: () => ParleyClient | null;
  request: <T>(path: string, init?: Omit<ApiRequest, "token">) => Promise<T>;
  /** It could not even be queued, so it goes back into the composer. */
  giveBack: (held: HeldSend) => void;
  /** It is stored. */
  sent: (held: HeldSend) => void;
}

export type HeldSends = ReturnType<typeof createHeldSends>;

/**
 * Replies for the seconds in which they can be taken back. A page that ends sends them: then they are
 * in the outbox, and go over HTTP as well, with the same id, which stores them once. Those that a page
 * leaves behind that was killed go back into the composer.
 */
export function createHeldSends(deps: HeldDeps) {
  const held = signal<readonly HeldSend[]>([]);
  const timers = new Map<string, ReturnType<typeof setTimeout>>();

  function remove(one: HeldSend) {
    clearTimeout(timers.get(one.clientMessageId));
    timers.delete(one.clientMessageId);
    held.value = held.value.filter((other) => other !== one);
    writeHeld(deps.userId, held.value);
  }

  async function release(one: HeldSend) {
    if (!held.value.includes(one)) return;
    remove(one);
    const { conversationId, content, files, replyToId, clientMessageId } = one;
    try {
      await deps.client()!.send({
        conversationId,
        content,
        clientMessageId,
        ...(files === undefined ? {} : { files }),
        ...(replyToId === undefined ? {} : { replyToId }),
      });
      deps.sent(one);
      one.then?.();
    } catch (error) {
      if ((error as ParleyClientError).code === "outbox_full") deps.giveBack(one);
    }
  }

  function onLeave() {
    for (const one of held.value) {
      const { conversationId, content, files, replyToId, clientMessageId } = one;
      void release(one);
      const path = `/api/conversations/${conversationId}/messages`;
      const fileIds = files?.map(({ id }) => id);
      const body = { content, clientMessageId, fileIds, replyToId };
      deps.request(path, { method: "POST", body, keepalive: true }).catch(() => {});
    }
  }

  return {
    held,
    hold(
      of: Omit<HeldSend, "clientMessageId" | "until">,
      seconds: number,
    ) {
      const ms = seconds * 1000;
      const one = { ...of, clientMessageId: newId(), until: Date.now() + ms };
      held.value = [...held.value, one];
      writeHeld(deps.userId, held.value);
      timers.set(one.clientMessageId, setTimeout(() => void release(one), ms));
    },
    release,
    /** Takes it back. @returns whether it was not sent yet */
    undo(one: HeldSend): boolean {
      if (!held.value.includes(one)) return false;
      remove(one);
      return true;
    },
    begin(): () => void {
      const left = readHeld(deps.userId);
      writeHeld(deps.userId, []);
      for (const one of left) deps.giveBack({ ...one, until: 0, macro: null });
      globalThis.addEventListener("pagehide", onLeave);
      return () => globalThis.removeEventListener("pagehide", onLeave);
    },
  };
}
