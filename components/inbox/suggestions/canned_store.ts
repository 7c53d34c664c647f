import { signal } from "@preact/signals";
import type { CannedResponse, CannedResponseList } from "../../../protocol/canned_responses.ts";

export type Request = <T>(path: string) => Promise<T>;

/** Milliseconds for which a list is not read again. */
const FRESH_MS = 15_000;

/** All of the agent's canned replies and macros; null: not read yet. */
export const canned = signal<readonly CannedResponse[] | null>(null);
/** Why they could not be read. */
export const cannedProblem = signal<unknown>(null);
let readAt = 0;

/** Reads all pages. */
export async function readCanned(request: Request): Promise<CannedResponse[]> {
  const items: CannedResponse[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page: CannedResponseList = await request<CannedResponseList>(
      `/api/canned-responses?limit=100${query}`,
    );
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}

/** Reads them when the list is opened. What was read before shows until then. */
export async function refreshCanned(request: Request): Promise<void> {
  if (Date.now() - readAt < FRESH_MS) return;
  readAt = Date.now();
  try {
    canned.value = await readCanned(request);
    cannedProblem.value = null;
  } catch (cause) {
    readAt = 0;
    cannedProblem.value = cause;
  }
}

/** After one was added from here. */
export function addCanned(item: CannedResponse) {
  if (canned.value !== null) canned.value = [item, ...canned.value];
}
