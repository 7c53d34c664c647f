import type { Problem, SessionResponse } from "../../protocol/rest.ts";
import type { Shell, Visitor } from "../shell.ts";
import { openStorage, storagePrefix } from "../storage.ts";
import { currentPage } from "./page.ts";

export interface StoredSession {
  sessionId: string;
  conversationId: string | null;
  /**
   * The visitor's data that the server has already, so that it is sent once and not on every page.
   */
  visitor?: Visitor;
}

/** An error that no retry can fix. The SDK stops because of `final`. */
export class SessionError extends Error {
  readonly final: boolean;
  readonly code: string;
  constructor(problem: Partial<Problem>, status: number) {
    super(problem.detail ?? `The server answered with status ${status}`);
    this.code = problem.code ?? "internal";
    this.final = status >= 400 && status < 500 && status !== 429 && status !== 408;
  }
}

const FIELDS = ["name", "email"] as const;

const warn = (text: string) => console.warn(`Parley: ${text}`);

/** One line without control characters, which the server refuses. */
const clean = (text: string) => text.replace(/\p{Cc}+/gu, " ").trim().slice(0, 254).toWellFormed();

/** The visitor's session in this browser, across page loads and tabs. */
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
      // The storage is full: the session lasts as long as the page.
    }
  }

  async function request(sessionId?: string): Promise<StoredSession> {
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
    const given = ([...FIELDS, "attributes"] as const).filter((field) =>
      visitor[field] !== undefined
    );
    if ((response.status === 422 || response.status === 400) && given.length > 0) {
      // Invalid data from the site must not keep its visitor from writing, nor take along what is
      // valid.
      const { detail, fields = [] } = answer as Problem;
      const bad = given.filter((field) => fields.some(({ path }) => path.split(".")[0] === field));
      warn(`the visitor's data is left out: ${detail}`);
      for (const field of bad.length > 0 ? bad : given) delete visitor[field];
      return request(sessionId);
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
    /** The stored session, or a new one. Two tabs that start together get the same. */
    ensure(): Promise<StoredSession> {
      const make = async () => read() ?? await request();
      return read() === null && navigator.locks ? navigator.locks.request(key, make) : make();
    },
    /** Stores the name and e-mail, and sends them where a session exists already. */
    async identify(next: Visitor): Promise<void> {
      for (const field of FIELDS) {
        const value: unknown = next[field];
        if (value === undefined || value === null) continue;
        const text = typeof value === "string" ? clean(value) : "";
        if (text !== "") visitor[field] = text;
        else warn(`identify: "${field}" must be text`);
      }
      visitor = { ...visitor, ...next.attributes && { attributes: next.attributes } };
      const session = read();
      if (session === null) return;
      const told = session.visitor ?? {};
      if (JSON.stringify({ ...told, ...visitor }) === JSON.stringify(told)) return;
      await request(session.sessionId);
    },
    opened(conversationId: string) {
      const session = read();
      if (session !== null && session.conversationId !== conversationId) {
        write({ ...session, conversationId });
      }
    },
    /** The server does not know this session any more. */
    drop(sessionId: string | undefined) {
      // Another tab may have made a new one already.
      if (read()?.sessionId === sessionId) storage.removeItem(key);
    },
    forget() {
      visitor = {};
      storage.removeItem(key);
    },
  };
}

export type Session = ReturnType<typeof createSession>;
