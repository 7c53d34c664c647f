import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { InboxModel } from "../live/inbox_model.ts";

const InboxContext = createContext<InboxModel | null>(null);
export const InboxProvider = InboxContext.Provider;

/** The model of the inbox around this component. Throws outside of one. */
export function useInbox(): InboxModel {
  const inbox = useContext(InboxContext);
  if (inbox === null) {
    throw new Error("Cannot draw a part of the inbox: there is no inbox around it");
  }
  return inbox;
}
