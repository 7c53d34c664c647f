import { effect, signal } from "@preact/signals";
import type { ParleyClient } from "../../client/mod.ts";
import type { ConversationCounts } from "../../protocol/queue.ts";
import type { ListModel } from "./list_model.ts";

/** Milliseconds for which changes are collected before the counts are read. */
const DELAY_MS = 1500;

/** How many conversations each view has with the status of the list; null until it is known. */
export function createCounts(list: ListModel, get: <T>(path: string) => Promise<T>) {
  const counts = signal<ConversationCounts | null>(null);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let run = 0;

  async function read(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const mine = ++run;
    const { status } = list.filter.value;
    try {
      const query = status === "all" ? "" : `?status=${status}`;
      const answer = await get<ConversationCounts>(`/api/conversations/counts${query}`);
      if (mine === run) counts.value = answer;
    } catch {
      // The next change, or the next connection, reads them again.
    }
  }

  function readSoon(): void {
    timer ??= setTimeout(read, DELAY_MS);
  }

  /** Follows the changes of conversations; returns a function that ends that. */
  function follow(own: ParleyClient): () => void {
    let status = list.filter.value.status;
    const ends = [
      own.on("identity", () => void read()),
      own.on("conversation", readSoon),
      effect(() => {
        const next = list.filter.value.status;
        if (next === status) return;
        status = next;
        counts.value = null;
        void read();
      }),
    ];
    return () => {
      clearTimeout(timer);
      for (const end of ends) end();
    };
  }

  return { counts, follow };
}
