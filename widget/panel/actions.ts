import type { ConversationStore, ParleyClient } from "../../client/mod.ts";
import type { Message } from "../../protocol/model.ts";
import type { start, WidgetActions } from "../actions/mod.ts";
import type { Shell } from "../shell.ts";

declare const ACTIONS_FILE: string;

/** What is done with messages that are there already, in a chunk that is loaded when it is used. */
export function createPanelActions(
  { base, root }: Shell,
  client: ParleyClient,
  store: () => ConversationStore | null,
) {
  let loading: Promise<WidgetActions> | null = null;
  async function load(): Promise<WidgetActions> {
    try {
      loading ??= import(`${base}widget/${ACTIONS_FILE}`)
        .then((module: { start: typeof start }) => module.start({ root, client, store }));
      return await loading;
    } catch (error) {
      loading = null;
      throw error;
    }
  }
  const use = (run: (actions: WidgetActions) => void) => void load().then(run, () => {});
  return {
    open: (message: Message, opener: HTMLElement) => use((all) => all.open(message, opener)),
    editLast: () => use((all) => all.editLast()),
  };
}
