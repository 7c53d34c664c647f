/**
 * Texts that several people write at once, over the connection of a client:
 *
 * ```ts
 * const collaboration = new CollaborationClient(client);
 * const notes = collaboration.open({ contactId });
 * const unbind = bindTextarea(document.querySelector("textarea")!, notes);
 * ```
 *
 * A module of its own, because it brings `ot-text-unicode` along.
 */
import type {
  Author,
  DocumentCursor,
  DocumentEdit,
  EditReceipt,
} from "../protocol/collaboration.ts";
import type { Acks, SessionMember } from "../protocol/native.ts";
import { type TextEdit, type TextOperation, toOperation } from "../protocol/text.ts";
import { createCursors } from "./collaboration_cursors.ts";
import { clean, difference, type Sending, SharedText } from "./collaboration_text.ts";
import { createEmitter } from "./emitter.ts";
import { ParleyClientError, PASSING, toClientError } from "./errors.ts";
import type { ParleyCore } from "./parley_core.ts";

export { bindTextarea } from "./collaboration_textarea.ts";
export { codeMirror } from "./collaboration_codemirror.ts";
export type { SessionMember, TextEdit, TextOperation };

/** What a document belongs to. */
export type DocumentTarget =
  | { conversationId: string }
  | { contactId: string }
  | { contextId: string; sessionId: string };

export interface OpenOptions {
  /** "viewer" may not edit; every other name of a part may. Default "participant". */
  role?: string;
  /** This window's name, different from every other's. Default: made here. */
  clientId?: string;
}

/** Somebody else's cursor; positions in code points of `document.text`. */
export interface PeerCursor extends Author {
  clientId: string;
  position: number;
  /** The other end of what they selected; `position` where they selected nothing. */
  selectionEnd: number;
}

/** `loading` until the text is here; `offline`: it can be edited, and is sent later. */
export type DocumentStatus = "loading" | "ready" | "offline" | "failed" | "closed";

export interface DocumentEvents {
  /** The text changed. `local`: by `change`, `splice` or `setText` of this document. */
  change: { operation: TextOperation; local: boolean };
  cursors: readonly PeerCursor[];
  members: readonly SessionMember[];
  status: DocumentStatus;
  /** Everything written here is stored, or not any more. */
  settled: boolean;
  /** The server refused what was written, which is taken back, or the document itself. */
  error: ParleyClientError;
}

/** Milliseconds between two commands, so that typing stays far under the server's rate. */
const EDIT_MS = 60;
const CURSOR_MS = 100;
const RETRY_MS = 1_000;
/** How long an edit may be missing that others follow. */
const GAP_MS = 1_000;

/** The document as it is here does not fit the server's: it is loaded anew. */
const RELOAD = ["version_ahead", "version_gone", "out_of_range", "not_joined"];

export class CollaborationClient {
  #client: ParleyCore;
  /** A connection is in each document once, so its windows share it. */
  #open = new Map<string, CollaborationDocument>();

  constructor(client: ParleyCore) {
    this.#client = client;
  }

  /** Opens a document, which stays open over lost connections until `close`. */
  open(target: DocumentTarget, options: OpenOptions = {}): CollaborationDocument {
    const key = JSON.stringify(Object.entries(target).sort());
    const open = this.#open.get(key);
    if (open !== undefined && open.status !== "closed") {
      throw new ParleyClientError("conflict", `Cannot open ${key}: it is open already`);
    }
    const document = new CollaborationDocument(this.#client, target, options);
    this.#open.set(key, document);
    document.on("status", (status) => {
      if (status === "closed" && this.#open.get(key) === document) this.#open.delete(key);
    });
    return document;
  }
}

/**
 * One document that is open. What is written in it shows at once, and is sent until it is stored.
 * A state machine, which is why it is all in one file.
 */
export class CollaborationDocument {
  readonly clientId: string;
  members: readonly SessionMember[] = [];
  #client: ParleyCore;
  #target: DocumentTarget;
  #role: string;
  #emitter = createEmitter<DocumentEvents>();
  #shared: SharedText;
  #cursors = createCursors((position) => this.#shared.shown(position));
  #status: DocumentStatus = "loading";
  #documentId: string | null = null;
  #epoch: string | undefined;
  #isJoined = false;
  #joining = 0;
  #isSending = false;
  #isLoaded = false;
  #wasSettled = true;
  /** Events that came before the answer that names the document. */
  #early: (() => void)[] = [];
  #ownCursor: { position: number; selectionEnd: number } | null = null;
  /** It was told, and has to be told when it is nowhere. */
  #hasCursor = false;
  #cursorIsNew = false;
  #taking: { opId: number; resolve(): void; reject(error: unknown): void } | null = null;
  #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #ends: (() => void)[];

  constructor(client: ParleyCore, target: DocumentTarget, options: OpenOptions) {
    this.#client = client;
    this.#target = target;
    this.#role = options.role ?? "participant";
    this.clientId = options.clientId ?? crypto.randomUUID();
    this.#shared = new SharedText(this.clientId, {
      onChange: (operation) => this.#changed(operation, false),
      onApplied: (edit, own) => this.#cursors.applied(edit, own),
    });
    this.#ends = [
      client.on("state", (state) => {
        this.#isJoined = false;
        this.#isSending = false;
        if (state === "connected") void this.#join();
        else if (this.#isLoaded) this.#setStatus("offline");
      }),
      client.on("edit", (edit) => this.#heard(edit, () => this.#receive(edit))),
      client.on("cursor", (cursor) => this.#heard(cursor, () => this.#receiveCursor(cursor))),
      client.on("session_joined", (member) =>
        this.#heard(member, () => {
          const { documentId: _, sessionId: __, ...person } = member;
          this.#setMembers([...without(this.members, person.userId), person]);
          // Who comes does not know where the cursors are.
          this.#cursorIsNew = this.#ownCursor !== null;
          this.#sendCursor();
        })),
      client.on("session_left", (member) =>
        this.#heard(member, () => {
          this.#setMembers(without(this.members, member.userId));
          if (this.#cursors.forget(member.userId)) this.#tellCursors();
        })),
    ];
    if (client.state === "connected") void this.#join();
  }

  get role(): string {
    return this.#role;
  }
  get text(): string {
    return this.#shared.text;
  }
  /** The newest version of the server's that `text` has. */
  get version(): number {
    return this.#shared.version;
  }
  get status(): DocumentStatus {
    return this.#status;
  }
  /** Everything written here is stored. */
  get isSettled(): boolean {
    return this.#shared.isSettled;
  }
  get cursors(): readonly PeerCursor[] {
    return this.#cursors.list();
  }
  get canEdit(): boolean {
    return this.role !== "viewer" && this.#isLoaded && this.#status !== "closed" &&
      this.#status !== "failed";
  }

  on<T extends keyof DocumentEvents>(
    type: T,
    handler: (data: DocumentEvents[T]) => unknown,
  ): () => void {
    return this.#emitter.on(type, handler);
  }

  /** Edits at a position in code points. @throws {ParleyClientError} `read_only` */
  change(edit: TextEdit): void {
    const cleaned = "content" in edit ? { ...edit, content: clean(edit.content) } : edit;
    this.write(toOperation(cleaned));
  }

  /** Replaces a part of `text`; index and count in UTF-16 code units, as editors count. */
  splice(index: number, count: number, content: string): void {
    const { text } = this;
    this.setText(
      text.slice(0, index) + content + text.slice(index + count),
      index + content.length,
    );
  }

  /** Makes `text` this; what is different is one edit. `end`: where it ends, see `difference`. */
  setText(text: string, end?: number): void {
    this.write(difference(this.text, clean(text), end));
  }

  /** Takes another part. "viewer": from now on only looks, so wait for `settled` before. */
  setRole(role: string): void {
    if (role === this.#role) return;
    this.#role = role;
    if (role === "viewer") this.#ownCursor = null;
    if (this.#status !== "closed" && this.#client.state === "connected") void this.#join();
  }

  /**
   * Takes the whole text out, to use it as it is shown here: of all who take it at once, and of a
   * text that somebody else goes on writing, nobody gets it but who was first. What is written here
   * meanwhile is the beginning of the next text.
   *
   * @throws {ParleyClientError} `conflict`: it changed meanwhile, and is all there; `read_only`;
   * `disconnected`; `closed`.
   */
  async take(): Promise<string> {
    while (!this.isSettled) {
      if (this.#status !== "ready") break;
      await new Promise<void>((resolve) => {
        const ends = [this.on("settled", done), this.on("status", done)];
        function done() {
          for (const end of ends) end();
          resolve();
        }
      });
    }
    if (!this.canEdit) {
      throw new ParleyClientError("read_only", `Cannot take the text: it is ${this.#status}`);
    }
    if (this.#status !== "ready") {
      throw new ParleyClientError("disconnected", "Cannot take the text: there is no connection");
    }
    const { text } = this;
    const operation = difference(text, "");
    if (operation.length === 0) return "";
    return await new Promise((resolve, reject) => {
      const opId = this.#shared.changeExactly(operation);
      this.#taking = { opId, resolve: () => resolve(text), reject };
      // Not what an editor did: those that are bound to it have to show it.
      this.#changed(operation, false);
      this.#send();
    });
  }

  /** Shows the others where the cursor is, in code points; null: nowhere. */
  setCursor(position: number | null, selectionEnd = position): void {
    const known = this.#ownCursor;
    if (position === known?.position && selectionEnd === known?.selectionEnd) return;
    this.#ownCursor = position === null ? null : { position, selectionEnd: selectionEnd! };
    this.#cursorIsNew = position !== null || this.#hasCursor;
    this.#sendCursor();
  }

  /** Leaves. What is not sent yet is lost: wait for `settled` where that matters. */
  close(): void {
    if (this.#status === "closed") return;
    const documentId = this.#documentId;
    for (const end of this.#ends) end();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    if (documentId !== null && this.#isJoined) this.#leave(documentId);
    this.#isJoined = false;
    this.#setStatus("closed");
    this.#taking?.reject(new ParleyClientError("closed", "Cannot take the text: it was closed"));
    this.#taking = null;
  }

  /** The same for an operation of `text`. */
  write(operation: TextOperation): void {
    if (!this.canEdit) {
      throw new ParleyClientError("read_only", `Cannot edit: the document is ${this.#status}`);
    }
    if (operation.length === 0) return;
    this.#shared.change(operation);
    this.#changed(operation, true);
    this.#send();
  }

  #changed(operation: TextOperation, local: boolean): void {
    this.#cursors.passed(operation);
    if (!local && this.#ownCursor !== null) {
      this.#ownCursor = this.#cursors.move(this.#ownCursor, operation);
    }
    this.#emitter.emit("change", { operation, local });
    this.#tellCursors();
    this.#tellSettled();
  }

  #leave(documentId: string): void {
    this.#client.request("leave_session", { documentId }, { patient: false }).catch(() => {});
  }

  async #join(): Promise<void> {
    const run = ++this.#joining;
    this.#isJoined = false;
    this.#isSending = false;
    this.#early = [];
    const { role, clientId } = this;
    const known = this.#isLoaded ? { epoch: this.#epoch, version: this.version } : {};
    try {
      const joined = await this.#client.request("join_session", {
        ...this.#target,
        role,
        clientId,
        ...known,
      });
      if (this.#status === "closed") this.#leave(joined.documentId);
      else if (run === this.#joining) this.#joined(joined);
    } catch (reason) {
      if (run !== this.#joining || this.#status === "closed") return;
      const error = toClientError(reason);
      if (error.code === "disconnected" || error.code === "closed") return;
      if (PASSING.includes(error.code)) {
        this.#later("join", error.retryAfter ?? RETRY_MS, () => void this.#join());
        return;
      }
      this.#setStatus("failed");
      this.#emitter.emit("error", error);
    }
  }

  #joined(joined: Acks["join_session"]): void {
    const { documentId, epoch, version, content, edits, lastOpId, members } = joined;
    this.#documentId = documentId;
    this.#epoch = epoch;
    this.#isJoined = true;
    this.#isLoaded = true;
    this.#cursors.clear();
    if (content !== null) this.#shared.load(version, content, lastOpId);
    let fits = true;
    for (const edit of edits) fits &&= this.#take(edit);
    this.#setMembers(members);
    const early = this.#early;
    this.#early = [];
    if (!fits) return this.#reload();
    this.#setStatus("ready");
    for (const event of early) event();
    this.#tellSettled();
    this.#cursorIsNew = this.#ownCursor !== null;
    this.#send();
  }

  /** The text as a whole, because what is here does not fit. */
  #reload(): void {
    this.#epoch = undefined;
    void this.#join();
  }

  #heard(event: { documentId: string }, work: () => void): void {
    if (this.#isJoined) {
      if (event.documentId === this.#documentId) work();
    } else {
      this.#early.push(() => event.documentId === this.#documentId && work());
    }
  }

  #take(data: DocumentEdit): boolean {
    const { documentId: _, sessionId: __, version, author, clientId, opId, ...edit } = data;
    return this.#shared.receive({ version, edit, author, clientId, opId });
  }

  #receive(edit: DocumentEdit): void {
    if (!this.#take(edit)) return this.#reload();
    this.#progressed();
  }

  #receiveCursor(cursor: DocumentCursor): void {
    this.#cursors.heard(cursor, this.version);
    this.#tellCursors();
  }

  /** What is known of the server's order has grown. */
  #progressed(): void {
    if (this.#shared.hasGap) {
      if (!this.#timers.has("gap")) {
        this.#later("gap", GAP_MS, () => this.#shared.hasGap && this.#reload());
      }
    } else {
      clearTimeout(this.#timers.get("gap"));
      this.#timers.delete("gap");
    }
    this.#tellCursors();
    this.#tellSettled();
    this.#send();
  }

  #send(): void {
    if (!this.#isJoined || this.#isSending || this.#timers.has("pace")) return;
    const sending = this.#shared.next();
    if (sending === null) return this.#sendCursor();
    this.#isSending = true;
    this.#later("pace", EDIT_MS, () => this.#send());
    void this.#transmit(sending, this.#joining);
  }

  async #transmit(sending: Sending, run: number): Promise<void> {
    const documentId = this.#documentId!;
    let receipt: EditReceipt;
    try {
      receipt = await this.#client.request("edit", { documentId, ...sending }, { patient: false });
    } catch (reason) {
      if (run === this.#joining && this.#isJoined) this.#refused(toClientError(reason));
      return;
    }
    if (run !== this.#joining || !this.#isJoined) return;
    if (!this.#shared.acknowledge(sending.opId, receipt)) return this.#reload();
    this.#isSending = false;
    this.#progressed();
  }

  #refused(error: ParleyClientError): void {
    // A lost connection joins again by itself.
    if (error.code === "disconnected" || error.code === "closed") return;
    const reload = RELOAD.includes(error.code);
    const taking = this.#taking;
    if (taking !== null && (error.code === "conflict" || reload && error.code !== "not_joined")) {
      this.#taking = null;
      this.#isSending = false;
      this.#shared.revert();
      taking.reject(reload ? new ParleyClientError("conflict", error.message) : error);
      return reload ? this.#reload() : this.#progressed();
    }
    if (reload) return this.#reload();
    if (PASSING.includes(error.code)) {
      this.#later("pace", error.retryAfter ?? RETRY_MS, () => {
        this.#isSending = false;
        this.#send();
      });
      return;
    }
    this.#isSending = false;
    this.#taking = null;
    taking?.reject(error);
    this.#shared.discard();
    this.#emitter.emit("error", error);
    this.#tellSettled();
  }

  /** Where it is in the server's text, so after everything written here has its place there. */
  #sendCursor(): void {
    if (!this.#isJoined || !this.#cursorIsNew || !this.#shared.isSettled) return;
    if (this.#timers.has("cursor")) return;
    this.#cursorIsNew = false;
    this.#later("cursor", CURSOR_MS, () => this.#sendCursor());
    const { version } = this;
    const documentId = this.#documentId!;
    const at = this.#ownCursor ?? { position: null };
    this.#hasCursor = this.#ownCursor !== null;
    this.#client.request("cursor", { documentId, version, ...at }, { patient: false })
      .catch(() => {});
  }

  #later(name: string, ms: number, work: () => unknown): void {
    clearTimeout(this.#timers.get(name));
    const timer = setTimeout(() => {
      this.#timers.delete(name);
      work();
    }, ms);
    this.#timers.set(name, timer);
  }

  #tellCursors(): void {
    if (this.#cursors.takeChanged()) this.#emitter.emit("cursors", this.cursors);
  }

  #tellSettled(): void {
    const taking = this.#taking;
    if (taking !== null && !this.#shared.isSending(taking.opId)) {
      this.#taking = null;
      taking.resolve();
    }
    if (this.isSettled === this.#wasSettled) return;
    this.#wasSettled = this.isSettled;
    this.#emitter.emit("settled", this.isSettled);
  }

  #setMembers(members: readonly SessionMember[]): void {
    this.members = members;
    this.#emitter.emit("members", members);
  }

  #setStatus(status: DocumentStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#emitter.emit("status", status);
  }
}

function without(members: readonly SessionMember[], userId: string): SessionMember[] {
  return members.filter((member) => member.userId !== userId);
}
