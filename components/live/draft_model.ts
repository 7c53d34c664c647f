import { computed, signal } from "@preact/signals";
import type { SessionMember } from "../../client/collaboration.ts";
import { type DocumentsModel, type SharedText, VIEWER, WRITER } from "./documents_model.ts";

const NOBODY: readonly SessionMember[] = [];

export type DraftModel = ReturnType<typeof createDraft>;

/**
 * The reply that agents write together in the open conversation. Whoever has the conversation open
 * looks at it; who joins it writes it.
 */
export function createDraft(documents: DocumentsModel) {
  const shared = signal<SharedText | null>(null);
  const joined = signal(false);
  let followed: string | null = null;

  /** Only looks from now on, but not before everything written here is stored. */
  function look({ document }: SharedText) {
    joined.value = false;
    if (document.isSettled) return document.setRole(VIEWER);
    const end = document.on("settled", () => {
      end();
      if (!joined.value || shared.value?.document !== document) document.setRole(VIEWER);
    });
  }

  /** Who writes in it, without this agent. */
  const writers = computed(() =>
    shared.value?.others.value.filter(({ label }) => label !== VIEWER) ?? NOBODY
  );

  return {
    shared,
    /** Whether this agent writes in it. */
    joined,
    writers,
    /** Whether there is something to join. */
    isThere: computed(() =>
      writers.value.length > 0 || (shared.value?.text.value.trim() ?? "") !== ""
    ),
    /** Goes with the conversation that is open. */
    follow(conversationId: string | null) {
      if (conversationId === followed) return;
      followed = conversationId;
      if (shared.value !== null) {
        look(shared.value);
        documents.release(shared.value);
      }
      shared.value = conversationId === null ? null : documents.open({ conversationId }, VIEWER);
    },
    /**
     * Writes in it from now on.
     *
     * @param own what this agent wrote alone
     * @returns whether that is in it now: only where there was nothing yet
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
     * Writes alone again.
     *
     * @param takes whether what is in it comes along, where nobody else writes in it
     * @returns that
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
     * Takes it out to send it; nobody else sends the same then.
     *
     * @throws {ParleyClientError} see `CollaborationDocument.take`.
     */
    take: (): Promise<string> => shared.value!.document.take(),
  };
}
