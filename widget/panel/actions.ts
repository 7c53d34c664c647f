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
  changed: () => void,
) {
  let loading: Promise<unknown> | null = null;
  let loaded: WidgetActions | null = null;
  const load = () =>
    loading ??= import(`${base}widget/${ACTIONS_FILE}`).then(
      (module: { start: typeof start }) => {
        loaded = module.start({ root, client, store, changed });
      },
      () => loading = null,
    );
  async function use(run: (actions: WidgetActions) => void) {
    await load();
    if (loaded) run(loaded);
  }
  return {
    open: (message: Message, opener: HTMLElement) => use((all) => all.open(message, opener)),
    editLast: () => use((all) => all.editLast()),
    use,
    /** What goes with the next message, once. */
    take: () => loaded?.take() ?? {},
  };
}
