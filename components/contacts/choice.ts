import { ContactQuery } from "../../protocol/contacts.ts";
import type { ContactSort, ContactView } from "../../protocol/contacts.ts";

/** What the list of contacts shows; "" means all. */
export interface Choice {
  q: string;
  view: ContactView;
  hasEmail: "" | "true" | "false";
  sort: ContactSort;
}

export const DEFAULT_CHOICE: Choice = { q: "", view: "wrote", hasEmail: "", sort: "recent" };
const NAMES = ["q", "view", "hasEmail", "sort"] as const;

/** The choice in an address; what cannot be read is the default. */
export function choiceOf(search: URLSearchParams): Choice {
  const choice: Record<string, string> = { ...DEFAULT_CHOICE };
  for (const name of NAMES) {
    const { success, data } = ContactQuery.shape[name].safeParse(search.get(name) ?? undefined);
    if (success && data !== undefined) choice[name] = data;
  }
  return choice as unknown as Choice;
}

/** As a query of the address, without what is the default. */
export function searchOf(choice: Choice): string {
  const query = new URLSearchParams();
  for (const name of NAMES) {
    if (choice[name].trim() !== DEFAULT_CHOICE[name]) query.set(name, choice[name]);
  }
  return query.size === 0 ? "" : `?${query}`;
}

/** As a query of the API. */
export function queryOf(choice: Choice): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of NAMES) if (choice[name].trim() !== "") query.set(name, choice[name]);
  return query;
}
