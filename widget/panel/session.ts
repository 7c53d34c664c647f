import type { Problem, SessionResponse } from "../../protocol/rest.ts";
import type { Shell, Visitor } from "../shell.ts";
import { openStorage, storagePrefix } from "../storage.ts";
import { currentPage } from "./page.ts";

export interface StoredSession {
  sessionId: string;
  conversationId: string | null;
  /** What the server was told of the visitor, so that it is told once and not on every page. */
  visitor?: Visitor;
}

/** Thrown for what another try cannot mend; the SDK stops at `final`. */
export class SessionError extends Error {
  readonly final: boolean;
  readonly code: string;
  constructor(problem: Partial<Problem>, status: number) {
    super(problem.detail ?? `The server answered with status ${status}`);
    this.code = problem.code ?? "internal";
    this.final = status >= 400 && status < 500 && status !== 429 && status !== 408;
  }
}

/** The visit: who this browser is for the server, over page loads and tabs. */
export function createSession(shell: Shell) {
  const storage = openStorage("localStorage");
  const key = storagePrefix(shell.widgetKey);
  let visitor: Visitor = {};

  function read(): StoredSession | null {
    try {
      const value = JSON.parse(storage.getItem(key) ?? "null");
      return typeof value?.sessionId === "string" ? value : null;
    } catch {
      return null;
    }
  }
  function write(session: StoredSession) {
    try {
      storage.setItem(key, JSON.stringify(session));
    } catch {
      // A full storage: the visit then lasts as long as the page.
    }
  }

  async function ask(sessionId?: string): Promise<StoredSession> {
    const response = await fetch(`${shell.base}api/sessions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        widgetKey: shell.widgetKey,
        sessionId,
        ...visitor,
        page: currentPage(),
        locale: shell.locale.slice(0, 35),
      }),
    });
    const answer = await response.json().catch(() => ({}));
    if (response.status === 422 && Object.keys(visitor).length > 0) {
      // A name or address that the site got wrong must not keep its visitor from writing.
      console.warn(`Parley: the visitor stays unnamed: ${(answer as Problem).detail}`);
      visitor = {};
      return ask(sessionId);
    }
    if (!response.ok) throw new SessionError(answer, response.status);
    const { conversationId } = answer as SessionResponse;
    const session = { sessionId: (answer as SessionResponse).sessionId, conversationId, visitor };
    write(session);
    return session;
  }

  return {
    storage,
    key,
    read,
    /** The stored session, or a new one. Two tabs that begin together get the same. */
    ensure(): Promise<StoredSession> {
      const make = async () => read() ?? await ask();
      return read() === null && navigator.locks ? navigator.locks.request(key, make) : make();
    },
    /** Remembers the name and e-mail, and tells them where a session exists already. */
    async identify(next: Visitor): Promise<void> {
      const { name, email } = next;
      if (name?.trim()) visitor.name = name.trim().slice(0, 100);
      if (email?.trim()) visitor.email = email.trim();
      const session = read();
      if (session === null) return;
      const told = session.visitor ?? {};
      if (told.name === visitor.name && told.email === visitor.email) return;
      await ask(session.sessionId);
    },
    opened(conversationId: string) {
      const session = read();
      if (session !== null && session.conversationId !== conversationId) {
        write({ ...session, conversationId });
      }
    },
    /** The server does not know it any more. */
    drop(sessionId: string | undefined) {
      // Another tab may have a new one by now.
      if (read()?.sessionId === sessionId) storage.removeItem(key);
    },
    forget() {
      visitor = {};
      storage.removeItem(key);
    },
  };
}

export type Session = ReturnType<typeof createSession>;
