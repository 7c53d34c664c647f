import type { EditReceipt } from "../protocol/collaboration.ts";
import type { TextOperation } from "../protocol/text.ts";
import type { Joined } from "./collaboration_session.ts";
import type { Sending, SharedText } from "./collaboration_text.ts";
import { ParleyClientError, PASSING, toClientError } from "./errors.ts";

/** Milliseconds between two edit commands, far below the server's rate limit. */
const EDIT_MS = 60;
/** Milliseconds before an edit is sent again, where the server names no time. */
const RETRY_MS = 1_000;
/** Errors after which the whole text is loaded again: the text here does not fit the server's. */
const RELOAD = ["version_ahead", "version_gone", "out_of_range", "not_joined"];

export interface EditSenderParts {
  shared: SharedText;
  joined(): Joined | null;
  request(documentId: string, sending: Sending): Promise<EditReceipt>;
  /** Nothing is left to send. */
  idle(): void;
  /** More of the server's order is known. */
  progressed(): void;
  reload(): void;
  /** The server refused an edit for good; it is undone already. */
  failed(error: ParleyClientError): void;
}

export type EditSender = ReturnType<typeof createEditSender>;

/** Sends the edits of a shared text, one command at a time, until all of them are stored. */
export function createEditSender(parts: EditSenderParts) {
  const { shared } = parts;
  let isSending = false;
  let pace: ReturnType<typeof setTimeout> | undefined;
  let taking: { opId: number; resolve(): void; reject(error: unknown): void } | null = null;

  function later(ms: number, work: () => void): void {
    clearTimeout(pace);
    pace = setTimeout(() => {
      pace = undefined;
      work();
    }, ms);
  }

  function send(): void {
    const joined = parts.joined();
    if (joined === null || isSending || pace !== undefined) return;
    const sending = shared.next();
    if (sending === null) return parts.idle();
    isSending = true;
    later(EDIT_MS, send);
    void transmit(sending, joined);
  }

  async function transmit(sending: Sending, joined: Joined): Promise<void> {
    let receipt: EditReceipt;
    try {
      receipt = await parts.request(joined.documentId, sending);
    } catch (reason) {
      if (joined === parts.joined()) refused(toClientError(reason));
      return;
    }
    if (joined !== parts.joined()) return;
    if (!shared.acknowledge(sending.opId, receipt)) return parts.reload();
    isSending = false;
    parts.progressed();
  }

  function refused(error: ParleyClientError): void {
    const { code } = error;
    // After a lost connection the document is joined again, and the edit is sent again.
    if (code === "disconnected" || code === "closed") return;
    const mustReload = RELOAD.includes(code);
    const current = taking;
    if (current !== null && (code === "conflict" || mustReload && code !== "not_joined")) {
      taking = null;
      isSending = false;
      shared.revert();
      current.reject(mustReload ? new ParleyClientError("conflict", error.message) : error);
      return mustReload ? parts.reload() : parts.progressed();
    }
    if (mustReload) return parts.reload();
    if (PASSING.includes(code)) {
      return later(error.retryAfter ?? RETRY_MS, () => {
        isSending = false;
        send();
      });
    }
    isSending = false;
    taking = null;
    current?.reject(error);
    shared.discard();
    parts.failed(error);
  }

  return {
    send,
    /** The connection or the membership is lost: nothing is under way any more. */
    suspend: () => void (isSending = false),
    /**
     * Removes the whole text with an operation that the server takes only unchanged. `removed` is
     * called once it is under way; resolves when the server has it.
     */
    take(operation: TextOperation, removed: () => void): Promise<void> {
      return new Promise((resolve, reject) => {
        taking = { opId: shared.changeExactly(operation), resolve, reject };
        removed();
        send();
      });
    },
    /** Resolves the `take` whose operation is stored. */
    resolveTaken(): void {
      if (taking === null || shared.isSending(taking.opId)) return;
      const { resolve } = taking;
      taking = null;
      resolve();
    },
    close(error: ParleyClientError): void {
      clearTimeout(pace);
      taking?.reject(error);
      taking = null;
    },
  };
}
