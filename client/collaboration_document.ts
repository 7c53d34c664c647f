import type { Acks, SessionMember } from "../protocol/native.ts";
import type { DocumentEdit } from "../protocol/collaboration.ts";
import { type TextEdit, type TextOperation, toOperation } from "../protocol/text.ts";
import { createCursors } from "./collaboration_cursors.ts";
import { createOwnCursor } from "./collaboration_own_cursor.ts";
import { createEditSender, type EditSender } from "./collaboration_sender.ts";
import { createDocumentSession, type DocumentSession } from "./collaboration_session.ts";
import { clean, difference, SharedText } from "./collaboration_text.ts";
import type {
  DocumentEvents,
  DocumentStatus,
  DocumentTarget,
  OpenOptions,
  PeerCursor,
} from "./collaboration_types.ts";
import { createEmitter } from "./emitter.ts";
import { ParleyClientError } from "./errors.ts";
import type { ParleyCore } from "./parley_core.ts";
import { newId } from "./outbox.ts";

/** Milliseconds that an edit may be missing while later ones are here. */
const GAP_MS = 1_000;

/** One open document. Local edits show at once, and are sent until they are stored. */
export class CollaborationDocument {
  readonly clientId: string;
  members: readonly SessionMember[] = [];
  #client: ParleyCore;
  #role: string;
  #status: DocumentStatus = "loading";
  #wasSettled = true;
  #gap: ReturnType<typeof setTimeout> | undefined;
  #emitter = createEmitter<DocumentEvents>();
  #shared: SharedText;
  #session: DocumentSession;
  #sender: EditSender;
  #cursors = createCursors((position) => this.#shared.shown(position));
  // The position is of the server's text, so all local edits have to be stored first.
  #ownCursor = createOwnCursor(
    () => this.#session.joined !== null && this.#shared.isSettled,
    (selection) => {
      const { documentId } = this.#session.joined!;
      const at = selection ?? { position: null };
      const data = { documentId, version: this.version, ...at };
      this.#client.request("cursor", data, { patient: false }).catch(() => {});
    },
  );

  constructor(client: ParleyCore, target: DocumentTarget, options: OpenOptions) {
    this.#client = client;
    this.#role = options.role ?? "participant";
    this.clientId = options.clientId ?? newId();
    this.#shared = new SharedText(this.clientId, {
      onChange: (operation) => this.#changed(operation, false),
      onApplied: (edit, own) => this.#cursors.applied(edit, own),
    });
    this.#sender = createEditSender({
      shared: this.#shared,
      joined: () => this.#session.joined,
      request: (documentId, sending) =>
        client.request("edit", { documentId, ...sending }, { patient: false }),
      idle: this.#ownCursor.flush,
      progressed: () => this.#progressed(),
      reload: () => this.#session.reload(),
      failed: (error) => {
        this.#emitter.emit("error", error);
        this.#emitSettled();
      },
    });
    this.#session = createDocumentSession(client, target, {
      self: () => ({ role: this.#role, clientId: this.clientId, version: this.version }),
      suspended: this.#sender.suspend,
      offline: () => this.#setStatus("offline"),
      load: (answer) => this.#load(answer),
      loaded: () => this.#setStatus("ready"),
      caughtUp: () => {
        this.#emitSettled();
        this.#ownCursor.resend();
        this.#sender.send();
      },
      edit: (edit) => {
        if (this.#receive(edit)) this.#progressed();
        else this.#session.reload();
      },
      cursor: (cursor) => {
        this.#cursors.receive(cursor, this.version);
        this.#emitCursors();
      },
      members: (all, change) => {
        this.members = all;
        this.#emitter.emit("members", all);
        if (change?.left !== undefined && this.#cursors.forget(change.left)) this.#emitCursors();
        if (change?.joined === undefined) return;
        // A person who joins does not know where the cursors are.
        this.#ownCursor.resend();
        this.#ownCursor.flush();
      },
      failed: (error) => {
        this.#setStatus("failed");
        this.#emitter.emit("error", error);
      },
    });
    this.#session.join();
  }

  get role(): string {
    return this.#role;
  }
  get text(): string {
    return this.#shared.text;
  }
  /** The newest version of the server's text that `text` contains. */
  get version(): number {
    return this.#shared.version;
  }
  get status(): DocumentStatus {
    return this.#status;
  }
  /** Every local edit is stored. */
  get isSettled(): boolean {
    return this.#shared.isSettled;
  }
  get cursors(): readonly PeerCursor[] {
    return this.#cursors.list();
  }
  get canEdit(): boolean {
    return this.role !== "viewer" && this.#session.isLoaded && this.#status !== "closed" &&
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

  /** Replaces `text`; the difference is sent as one edit. `end`: see `difference`. */
  setText(text: string, end?: number): void {
    this.write(difference(this.text, clean(text), end));
  }

  /** Changes the role. A "viewer" cannot edit any more, so wait for `settled` before. */
  setRole(role: string): void {
    if (role === this.#role) return;
    this.#role = role;
    if (role === "viewer") this.#ownCursor.clear();
    this.#session.join();
  }

  /**
   * Removes the whole text and returns it as it is shown here. Of several people who call it at
   * once, only the first gets the text; nobody gets it while somebody else goes on writing. What
   * is written here in the meantime becomes the beginning of the next text.
   *
   * @throws {ParleyClientError} `conflict`: the text changed meanwhile, and is still there;
   * `read_only`; `disconnected`; `closed`.
   */
  async take(): Promise<string> {
    while (!this.isSettled && this.#status === "ready") await this.#settledOrStatus();
    if (!this.canEdit) {
      throw new ParleyClientError("read_only", `Cannot take the text: it is ${this.#status}`);
    }
    if (this.#status !== "ready") {
      throw new ParleyClientError("disconnected", "Cannot take the text: there is no connection");
    }
    const { text } = this;
    const operation = difference(text, "");
    if (operation.length === 0) return "";
    // Not an edit of the bound editor: the editor has to show it.
    await this.#sender.take(operation, () => this.#changed(operation, false));
    return text;
  }

  /** Shows the others where the cursor is, in code points; null: there is none. */
  setCursor(position: number | null, selectionEnd = position): void {
    this.#ownCursor.set(position === null ? null : { position, selectionEnd: selectionEnd! });
  }

  /** Leaves. Edits that are not sent yet are lost: wait for `settled` where that matters. */
  close(): void {
    if (this.#status === "closed") return;
    clearTimeout(this.#gap);
    this.#ownCursor.close();
    this.#session.close();
    this.#setStatus("closed");
    this.#sender.close(
      new ParleyClientError("closed", "Cannot take the text: the document was closed"),
    );
  }

  /** Edits with an operation on `text`. @throws {ParleyClientError} `read_only` */
  write(operation: TextOperation): void {
    if (!this.canEdit) {
      throw new ParleyClientError("read_only", `Cannot edit: the document is ${this.#status}`);
    }
    if (operation.length === 0) return;
    this.#shared.change(operation);
    this.#changed(operation, true);
    this.#sender.send();
  }

  /** Resolves with the next `settled` or `status` event. */
  #settledOrStatus(): Promise<void> {
    return new Promise((resolve) => {
      const ends = [this.on("settled", done), this.on("status", done)];
      function done() {
        for (const end of ends) end();
        resolve();
      }
    });
  }

  #changed(operation: TextOperation, local: boolean): void {
    this.#cursors.passed(operation);
    if (!local) this.#ownCursor.move(operation);
    this.#emitter.emit("change", { operation, local });
    this.#emitCursors();
    this.#emitSettled();
  }

  #load({ version, content, edits, lastOpId }: Acks["join_session"]): boolean {
    this.#cursors.clear();
    if (content !== null) this.#shared.load(version, content, lastOpId);
    return edits.every((edit) => this.#receive(edit));
  }

  /** @returns false: it does not fit the text that is here. */
  #receive(data: DocumentEdit): boolean {
    const { documentId: _, sessionId: __, version, author, clientId, opId, ...edit } = data;
    return this.#shared.receive({ version, edit, author, clientId, opId });
  }

  /** More of the server's order is known. An edit that stays missing is loaded with the text. */
  #progressed(): void {
    if (this.#shared.hasGap) {
      this.#gap ??= setTimeout(() => {
        this.#gap = undefined;
        if (this.#shared.hasGap) this.#session.reload();
      }, GAP_MS);
    } else {
      clearTimeout(this.#gap);
      this.#gap = undefined;
    }
    this.#emitCursors();
    this.#emitSettled();
    this.#sender.send();
  }

  #emitCursors(): void {
    if (this.#cursors.takeChanged()) this.#emitter.emit("cursors", this.cursors);
  }

  #emitSettled(): void {
    this.#sender.resolveTaken();
    if (this.isSettled === this.#wasSettled) return;
    this.#wasSettled = this.isSettled;
    this.#emitter.emit("settled", this.isSettled);
  }

  #setStatus(status: DocumentStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#emitter.emit("status", status);
  }
}
