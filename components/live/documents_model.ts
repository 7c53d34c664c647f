import { type Signal, signal } from "@preact/signals";
import type {
  CollaborationClient,
  CollaborationDocument,
  DocumentStatus,
  DocumentTarget,
  PeerCursor,
  SessionMember,
} from "../../client/collaboration.ts";
import type { ParleyClient } from "../../client/mod.ts";

/** A text that colleagues write together, as signals. */
export interface SharedText {
  readonly document: CollaborationDocument;
  readonly text: Signal<string>;
  readonly status: Signal<DocumentStatus>;
  /** All local edits are stored. */
  readonly settled: Signal<boolean>;
  readonly cursors: Signal<readonly PeerCursor[]>;
  /** The other people who have it open. */
  readonly others: Signal<readonly SessionMember[]>;
  /** Ties a text area to it; returns a function that unties it. */
  bind(area: HTMLTextAreaElement): () => void;
}

/** The role of those who only read; all other roles write, see `CollaborationDocument`. */
export const VIEWER = "viewer";
export const WRITER = "writer";

export type DocumentsModel = ReturnType<typeof createDocuments>;

/** The shared texts of a page. After `release` a text stays open until all of it is stored. */
export function createDocuments(userId: string, fail: (error: unknown) => void) {
  let client: ParleyClient | null = null;
  let collaboration: CollaborationClient | null = null;
  const open = new Map<string, SharedText>();
  const released = new Set<SharedText>();

  /** Asks before the page is left while local edits are not stored. */
  function onLeave(event: BeforeUnloadEvent) {
    if ([...open.values()].some(({ document }) => !document.isSettled)) event.preventDefault();
  }

  function make(
    key: string,
    document: CollaborationDocument,
    bindTextarea: (area: HTMLTextAreaElement, document: CollaborationDocument) => () => void,
  ): SharedText {
    const shared: SharedText = {
      document,
      text: signal(document.text),
      status: signal(document.status),
      settled: signal(document.isSettled),
      cursors: signal(document.cursors),
      others: signal([]),
      bind: (area) => bindTextarea(area, document),
    };
    document.on("change", () => shared.text.value = document.text);
    document.on("settled", (settled) => {
      shared.settled.value = settled;
      if (settled && released.has(shared)) document.close();
    });
    document.on("cursors", (cursors) => shared.cursors.value = cursors);
    document.on("members", (members) => {
      shared.others.value = members.filter((member) => member.userId !== userId);
    });
    document.on("status", (status) => {
      shared.status.value = status;
      if (status !== "closed") return;
      released.delete(shared);
      if (open.get(key) === shared) open.delete(key);
    });
    document.on("error", fail);
    open.set(key, shared);
    return shared;
  }

  return {
    /**
     * Opens a text. A page must show it in one place only. What edits texts is loaded with the first.
     *
     * @throws when that cannot be loaded, or the page ends before it is.
     */
    async open(target: DocumentTarget, role: string): Promise<SharedText> {
      const { CollaborationClient, bindTextarea } = await import("../../client/collaboration.ts");
      if (client === null) throw new Error("Cannot open the text: the page has ended");
      collaboration ??= new CollaborationClient(client);
      const key = JSON.stringify(target);
      const known = open.get(key);
      if (known === undefined) return make(key, collaboration.open(target, { role }), bindTextarea);
      released.delete(known);
      return known;
    },
    release(shared: SharedText) {
      if (shared.document.isSettled) shared.document.close();
      else released.add(shared);
    },
    begin(own: ParleyClient): () => void {
      client = own;
      globalThis.addEventListener("beforeunload", onLeave);
      return () => {
        globalThis.removeEventListener("beforeunload", onLeave);
        for (const { document } of [...open.values()]) document.close();
        client = collaboration = null;
      };
    },
  };
}
