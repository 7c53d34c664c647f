import type { DocumentCursor } from "../protocol/collaboration.ts";
import { lengthOf, type TextOperation, toOperation } from "../protocol/text.ts";
import { moveSelection } from "./collaboration_own_cursor.ts";
import type { ServerEdit } from "./collaboration_text.ts";
import type { PeerCursor } from "./collaboration_types.ts";

/** Edits that are kept, to move a cursor that was sent before them. */
const MAX_HISTORY = 100;

/** The cursors of other people, as positions in the text that is shown here. */
export function createCursors(shown: (position: number) => number) {
  const cursors = new Map<string, PeerCursor>();
  /** Cursors whose version of the text is not here yet. */
  const early = new Map<string, DocumentCursor>();
  let history: { version: number; operation: TextOperation }[] = [];
  let changed = false;

  function remember({ version, edit }: ServerEdit): void {
    history.push({ version, operation: toOperation(edit) });
    if (history.length > MAX_HISTORY) history = history.slice(-MAX_HISTORY / 2);
    for (const [clientId, cursor] of early) {
      if (cursor.version! > version) continue;
      early.delete(clientId);
      receive(cursor, version);
    }
  }

  function receive(cursor: DocumentCursor, current: number): void {
    const { clientId, userId, userName, role, position, selectionEnd, version } = cursor;
    early.delete(clientId);
    if (position === null) {
      changed = cursors.delete(clientId) || changed;
      return;
    }
    if (version !== null && version > current) return void early.set(clientId, cursor);
    let peer: PeerCursor = {
      clientId,
      userId,
      userName,
      role,
      position,
      selectionEnd: selectionEnd ?? position,
    };
    for (const { version: at, operation } of history) {
      if (version !== null && at > version) peer = moveSelection(peer, operation);
    }
    place(peer);
  }

  function place({ position, selectionEnd, ...peer }: PeerCursor): void {
    cursors.set(peer.clientId, {
      ...peer,
      position: shown(position),
      selectionEnd: shown(selectionEnd),
    });
    changed = true;
  }

  return {
    receive,
    /** An edit has its position in the server's text. Its author's cursor is right after it. */
    applied(applied: ServerEdit, own: boolean): void {
      remember(applied);
      const { author, clientId, edit } = applied;
      if (own || author === undefined || early.has(clientId)) return;
      const position = edit.position + ("content" in edit ? lengthOf(edit.content) : 0);
      place({ ...author, clientId, position, selectionEnd: position });
    },
    /** The text that is shown changed. */
    passed(operation: TextOperation): void {
      for (const [clientId, cursor] of cursors) {
        const moved = moveSelection(cursor, operation);
        if (moved.position === cursor.position && moved.selectionEnd === cursor.selectionEnd) {
          continue;
        }
        cursors.set(clientId, moved);
        changed = true;
      }
    },
    /** @returns whether this person had a cursor. */
    forget(userId: string): boolean {
      let found = false;
      for (const [clientId, cursor] of cursors) {
        if (cursor.userId === userId) found = cursors.delete(clientId) || found;
      }
      changed ||= found;
      return found;
    },
    clear(): void {
      changed ||= cursors.size > 0;
      cursors.clear();
      early.clear();
      history = [];
    },
    list: (): readonly PeerCursor[] => [...cursors.values()],
    /** Whether a cursor changed since the last call. */
    takeChanged(): boolean {
      const was = changed;
      changed = false;
      return was;
    },
  };
}
