import { signal } from "@preact/signals";
import type { AuditEntry, AuditList } from "../../protocol/audit.ts";
import { ApiError, errorText } from "../live/api.ts";
import type { WorkspaceModel } from "../live/workspace_model.ts";

/** The filter as chosen; "" means all. Days are of the reader's own calendar. */
export interface AuditChoice {
  actorId: string;
  group: string;
  from: string;
  to: string;
}

const NAMES = ["actorId", "group", "from", "to"] as const;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** The filter in an address. */
export function choiceOf(search: string): AuditChoice {
  const query = new URLSearchParams(search);
  const [actorId, group, from, to] = NAMES.map((name) => query.get(name) ?? "");
  const day = (text: string) => DAY.test(text) ? text : "";
  return { actorId: actorId!, group: group!, from: day(from!), to: day(to!) };
}

/** The filter as a query of the address, "" for all. */
export function searchOf(choice: AuditChoice): string {
  const query = new URLSearchParams(NAMES.map((name) => [name, choice[name]]));
  for (const name of NAMES) if (choice[name] === "") query.delete(name);
  return query.size === 0 ? "" : `?${query}`;
}

/** The query for the API. `to` is the end of its day. */
export function apiQuery(choice: AuditChoice): URLSearchParams {
  const query = new URLSearchParams(searchOf(choice));
  const startOf = (day: string, plus = 0) => {
    const [year, month, date] = day.split("-").map(Number) as [number, number, number];
    return new Date(year, month - 1, date + plus).toISOString();
  };
  if (choice.from !== "") query.set("from", startOf(choice.from));
  if (choice.to !== "") query.set("to", startOf(choice.to, 1));
  return query;
}

/** The filtered list, page by page, and its download. */
export function createAuditModel(workspace: WorkspaceModel, first: AuditList) {
  const items = signal<AuditEntry[]>(first.items);
  const nextCursor = signal<string | null>(first.nextCursor);
  const choice = signal<AuditChoice>(choiceOf(""));
  const busy = signal(false);
  const problem = signal<string | null>(null);
  let current: AbortController | null = null;

  async function load(cursor: string | null): Promise<void> {
    current?.abort();
    const mine = current = new AbortController();
    busy.value = true;
    const query = apiQuery(choice.value);
    if (cursor !== null) query.set("cursor", cursor);
    try {
      const list = await workspace.request<AuditList>(`/api/audit?${query}`, {
        signal: mine.signal,
      });
      if (mine.signal.aborted) return;
      items.value = cursor === null ? list.items : [...items.value, ...list.items];
      nextCursor.value = list.nextCursor;
      problem.value = null;
    } catch (error) {
      if (mine.signal.aborted) return;
      problem.value = errorText(error);
    }
    busy.value = false;
  }

  return {
    items,
    nextCursor,
    choice,
    busy,
    problem,
    choose(part: Partial<AuditChoice>): void {
      choice.value = { ...choice.value, ...part };
      history.replaceState(null, "", location.pathname + searchOf(choice.value));
      void load(null);
    },
    more: () => load(nextCursor.value),
    /** Call it after hydration: the address may contain a filter. */
    begin(): void {
      const asked = choiceOf(location.search);
      if (searchOf(asked) === "") return;
      choice.value = asked;
      void load(null);
    },
    /** The table as a file. It needs a token, so a plain link is not enough. */
    async download(): Promise<void> {
      try {
        const query = apiQuery(choice.value);
        query.set("format", "csv");
        const response = await fetch(`/api/audit?${query}`, {
          headers: { authorization: `Bearer ${await workspace.token()}` },
        });
        if (!response.ok) throw new ApiError(response.status, await response.json());
        const url = URL.createObjectURL(await response.blob());
        const link = document.createElement("a");
        link.href = url;
        link.download = "audit.csv";
        link.click();
        URL.revokeObjectURL(url);
      } catch (error) {
        workspace.fail(error);
      }
    },
  };
}
