/**
 * Texts that several people write at once, over the connection of a client:
 *
 * ```ts
 * const collaboration = new CollaborationClient(client);
 * const notes = collaboration.open({ contactId });
 * const unbind = bindTextarea(document.querySelector("textarea")!, notes);
 * ```
 *
 * A module of its own, because it depends on `ot-text-unicode`.
 */
import { CollaborationDocument } from "./collaboration_document.ts";
import type { DocumentTarget, OpenOptions } from "./collaboration_types.ts";
import { ParleyClientError } from "./errors.ts";
import type { ParleyCore } from "./parley_core.ts";

export type { SessionMember } from "../protocol/native.ts";
export type { TextEdit, TextOperation } from "../protocol/text.ts";
export { codeMirror } from "./collaboration_codemirror.ts";
export { CollaborationDocument } from "./collaboration_document.ts";
export { bindTextarea } from "./collaboration_textarea.ts";
export type {
  DocumentEvents,
  DocumentStatus,
  DocumentTarget,
  OpenOptions,
  PeerCursor,
} from "./collaboration_types.ts";

export class CollaborationClient {
  #client: ParleyCore;
  /** A connection joins each document once, so all views of this client share it. */
  #open = new Map<string, CollaborationDocument>();

  constructor(client: ParleyCore) {
    this.#client = client;
  }

  /** Opens a document. It stays open across reconnections until `close`. */
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
