import { computed, signal } from "@preact/signals";
import type { SessionMember } from "../../client/collaboration.ts";
import { type DocumentsModel, type SharedText, VIEWER, WRITER } from "./documents_model.ts";

const NOBODY: readonly SessionMember[] = [];

export type DraftModel = ReturnType<typeof createDraft>;

/**
 * The reply that agents write together in the open conversation. All who have the conversation open
 * see it; those who joined it write it.
 */
export function createDraft(documents: DocumentsModel) {
  const shared = signal<SharedText | null>(null);
  const joined = signal(false);
  let followed: string | null = null;

  /** Only reads from now on, as soon as all local edits are stored. */
  function look({ document }: SharedText) {
    joined.value = false;
    if (document.isSettled) return document.setRole(VIEWER);
    const end = document.on("settled", () => {
      end();
      if (!joined.value || shared.value?.document !== document) document.setRole(VIEWER);
    });
  }

  async function open(conversationId: string): Promise<void> {
    const text = await documents.open({ conversationId }, VIEWER).catch(() => null);
    if (followed !== conversationId) {
      if (text !== null) documents.release(text);
    } else if (text === null) {
      // Without a connection; it is tried again with the next conversation.
      followed = null;
    } else shared.value = text;
  }

  /** The colleagues who write in it. */
  const writers = computed(() =>
    shared.value?.others.value.filter(({ label }) => label !== VIEWER) ?? NOBODY
  );

  return {
    shared,
    /** Whether this agent writes in it. */
    joined,
    writers,
    /** Whether there is a reply to join. */
    isThere: computed(() =>
      writers.value.length > 0 || (shared.value?.text.value.trim() ?? "") !== ""
    ),
    /** Switches to the reply of the open conversation. */
    follow(conversationId: string | null) {
      if (conversationId === followed) return;
      followed = conversationId;
      if (shared.value !== null) {
        look(shared.value);
        documents.release(shared.value);
      }
      shared.value = null;
      if (conversationId !== null) void open(conversationId);
    },
    /**
     * Starts to write in it.
     *
     * @param own the text that this agent wrote alone
     *
     * @returns whether that text is in it now, which needs an empty reply
     */
    join(own = ""): boolean {
      if (shared.value === null) return false;
      const { document } = shared.value;
      joined.value = true;
      document.setRole(WRITER);
      if (own.trim() === "" || document.text !== "" || !document.canEdit) return false;
      document.setText(own);
      return true;
    },
    /**
     * Stops writing in it.
     *
     * @param takes whether to take its text along, where nobody else writes in it
     *
     * @returns that text
     */
    async leave(takes: boolean): Promise<string> {
      const text = shared.value;
      if (text === null || !joined.value) return "";
      const isAlone = writers.value.length === 0 && text.status.value === "ready";
      const own = takes && isAlone ? await text.document.take().catch(() => "") : "";
      look(text);
      return own;
    },
    /**
     * Takes the text out in order to send it, so that nobody else sends it, too.
     *
     * @throws {ParleyClientError} see `CollaborationDocument.take`
     */
    take: (): Promise<string> => shared.value!.document.take(),
  };
}
