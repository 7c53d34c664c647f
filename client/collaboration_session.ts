import type { DocumentCursor, DocumentEdit } from "../protocol/collaboration.ts";
import type { Acks, SessionMember } from "../protocol/native.ts";
import type { DocumentTarget } from "./collaboration_types.ts";
import { type ParleyClientError, PASSING, toClientError } from "./errors.ts";
import type { ParleyCore } from "./parley_core.ts";

/** Milliseconds before a join is tried again, where the server names no time. */
const RETRY_MS = 1_000;

/** The document that is joined on this connection. Each join makes a new object. */
export interface Joined {
  readonly documentId: string;
}

export interface SessionHandlers {
  /** What a join sends: who joins, and the version of the text that is known here. */
  self(): { role: string; clientId: string; version: number };
  /** Not joined any more: what was sent on the connection gets no answer. */
  suspended(): void;
  /** The connection is lost. Only called once the text is known. */
  offline(): void;
  /** Takes the text of the answer. False: it does not fit this one; the whole text is needed. */
  load(answer: Acks["join_session"]): boolean;
  /** The text is here. Called before the events that arrived ahead of the answer are applied. */
  loaded(): void;
  /** Those events are applied, too. */
  caughtUp(): void;
  edit(edit: DocumentEdit): void;
  cursor(cursor: DocumentCursor): void;
  /** The members changed; `change` says by whom, where one person joined or left. */
  members(all: readonly SessionMember[], change?: { joined?: string; left?: string }): void;
  /** The server refuses the document. */
  failed(error: ParleyClientError): void;
}

export type DocumentSession = ReturnType<typeof createDocumentSession>;

/** Membership in one document: joins, and joins again after each reconnection, until `close`. */
export function createDocumentSession(
  client: ParleyCore,
  target: DocumentTarget,
  on: SessionHandlers,
) {
  let joined: Joined | null = null;
  let epoch: string | undefined;
  let members: readonly SessionMember[] = [];
  let isLoaded = false;
  let isClosed = false;
  /** Numbers the joins, so that the answer to an older one is ignored. */
  let run = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  /** Events that arrived before the answer that names the document. */
  let early: ((documentId: string) => void)[] = [];

  function suspend(): void {
    joined = null;
    on.suspended();
  }

  async function join(): Promise<void> {
    const mine = ++run;
    clearTimeout(retry);
    suspend();
    early = [];
    const { role, clientId, version } = on.self();
    const known = isLoaded ? { epoch, version } : {};
    try {
      const data = { ...target, role, clientId, ...known };
      const answer = await client.request("join_session", data);
      if (isClosed) leave(answer.documentId);
      else if (mine === run) accept(answer);
    } catch (reason) {
      if (mine !== run || isClosed) return;
      const error = toClientError(reason);
      // The next connection joins again.
      if (error.code === "disconnected" || error.code === "closed") return;
      if (PASSING.includes(error.code)) {
        retry = setTimeout(join, error.retryAfter ?? RETRY_MS);
        return;
      }
      on.failed(error);
    }
  }

  function accept(answer: Acks["join_session"]): void {
    const { documentId } = answer;
    joined = { documentId };
    epoch = answer.epoch;
    isLoaded = true;
    const fits = on.load(answer);
    setMembers(answer.members);
    const waiting = early;
    early = [];
    if (!fits) return reload();
    on.loaded();
    for (const event of waiting) event(documentId);
    on.caughtUp();
  }

  /** Joins again for the whole text, because the text here does not fit the server's. */
  function reload(): void {
    epoch = undefined;
    void join();
  }

  function leave(documentId: string): void {
    client.request("leave_session", { documentId }, { patient: false }).catch(() => {});
  }

  function setMembers(next: readonly SessionMember[], change?: { joined?: string; left?: string }) {
    members = next;
    on.members(members, change);
  }

  /** Runs `work` for an event of this document, at once or when the join is answered. */
  function whenJoined(event: { documentId: string }, work: () => void): void {
    if (joined === null) {
      early.push((documentId) => event.documentId === documentId && work());
    } else if (event.documentId === joined.documentId) work();
  }

  const ends = [
    client.on("state", (state) => {
      suspend();
      if (state === "connected") void join();
      else if (isLoaded) on.offline();
    }),
    client.on("edit", (edit) => whenJoined(edit, () => on.edit(edit))),
    client.on("cursor", (cursor) => whenJoined(cursor, () => on.cursor(cursor))),
    client.on("session_joined", (member) =>
      whenJoined(member, () => {
        const { documentId: _, sessionId: __, ...person } = member;
        const { userId } = person;
        setMembers([...without(members, userId), person], { joined: userId });
      })),
    client.on("session_left", (member) =>
      whenJoined(member, () => {
        const { userId } = member;
        setMembers(without(members, userId), { left: userId });
      })),
  ];

  return {
    get joined() {
      return joined;
    },
    /** Whether a text was received, on this connection or an earlier one. */
    get isLoaded() {
      return isLoaded;
    },
    /** Joins where there is a connection; otherwise the next connection does. */
    join() {
      if (!isClosed && client.state === "connected") void join();
    },
    reload,
    close() {
      isClosed = true;
      for (const end of ends) end();
      clearTimeout(retry);
      if (joined !== null) leave(joined.documentId);
      joined = null;
    },
  };
}

function without(members: readonly SessionMember[], userId: string): SessionMember[] {
  return members.filter((member) => member.userId !== userId);
}
