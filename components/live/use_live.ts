import { useEffect, useRef, useState } from "preact/hooks";
import { type TableName, Tables } from "../../client/tables.ts";
import { useWorkspace } from "../shell/context.ts";
import { errorText } from "./api.ts";

/** Milliseconds before a failed reading is repeated. */
const RETRY_MS = 3_000;

export interface Live<T> {
  value: T;
  /** Takes an answer of the server. A reading that is under way is older and is ignored. */
  set(value: T): void;
  /** Reads it again now. */
  refresh(): void;
  /** Why changes by others are not shown; null while they are. */
  problem: string | null;
}

/**
 * The data that the server rendered the page with, kept in step with the database: read again after
 * every change of a row of the table, by anybody, and after every gap. Several changes at once
 * share a reading.
 */
export function useLive<T>(table: TableName, start: T, path: string): Live<T> {
  const { live, client, request } = useWorkspace();
  const [value, setValue] = useState(start);
  const [problem, setProblem] = useState<string | null>(null);
  const reader = useRef({ generation: 0, running: false, again: false, ended: false });
  const state = reader.current;

  const read = async (): Promise<void> => {
    if (state.running) {
      state.again = true;
      return;
    }
    state.running = true;
    state.again = false;
    const { generation } = state;
    try {
      const { items } = await request<{ items: T }>(path);
      if (state.ended) return;
      if (generation === state.generation) setValue(items);
    } catch {
      if (state.ended) return;
      setTimeout(() => !state.ended && read(), RETRY_MS);
    } finally {
      state.running = false;
    }
    if (state.again) await read();
  };

  const alive = live.value;
  useEffect(() => {
    const own = alive ? client() : null;
    if (own === null) return;
    state.ended = false;
    const subscription = new Tables(own).subscribeToTable(
      table,
      () => void read(),
      undefined,
      undefined,
      { onGap: () => void read(), onEnd: (error) => setProblem(errorText(error)) },
    );
    // Changes between the rendering of the page and this moment.
    subscription.ready.then(() => read(), () => {});
    return () => {
      state.ended = true;
      subscription.unsubscribe();
    };
  }, [alive]);

  return {
    value,
    set(next) {
      state.generation++;
      if (state.running) state.again = true;
      setValue(next);
    },
    refresh: () => void read(),
    problem,
  };
}
