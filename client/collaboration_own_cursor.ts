import { movePosition, type TextOperation } from "../protocol/text.ts";

/** Milliseconds between two cursor commands. */
const CURSOR_MS = 100;

export interface Selection {
  /** In code points of the text that is shown. */
  position: number;
  selectionEnd: number;
}

/** Where a cursor or selection is after an operation. */
export function moveSelection<T extends Selection>(selection: T, operation: TextOperation): T {
  return {
    ...selection,
    position: movePosition(selection.position, operation),
    selectionEnd: movePosition(selection.selectionEnd, operation),
  };
}

/**
 * Sends this person's own cursor to the others, the newest position only. `send` is only called
 * while `canSend`; call `flush` when that may have become true.
 */
export function createOwnCursor(
  canSend: () => boolean,
  send: (selection: Selection | null) => void,
) {
  let selection: Selection | null = null;
  /** The others show a cursor, so they have to be told when it is gone. */
  let isShown = false;
  let isNew = false;
  let pace: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    if (!isNew || pace !== undefined || !canSend()) return;
    isNew = false;
    pace = setTimeout(() => {
      pace = undefined;
      flush();
    }, CURSOR_MS);
    isShown = selection !== null;
    send(selection);
  }

  return {
    flush,
    set(next: Selection | null): void {
      const { position, selectionEnd } = next ?? {};
      if (position === selection?.position && selectionEnd === selection?.selectionEnd) return;
      selection = next;
      isNew = next !== null || isShown;
      flush();
    },
    /** The text changed around it. */
    move(operation: TextOperation): void {
      if (selection !== null) selection = moveSelection(selection, operation);
    },
    /** The others, or the server, do not know it: it is sent again with the next `flush`. */
    resend: () => void (isNew = selection !== null),
    /** There is none, and nobody has to be told. */
    clear: () => void (selection = null),
    close: () => clearTimeout(pace),
  };
}
