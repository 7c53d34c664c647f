import "../components/live/own_history.ts";
import { useEffect, useMemo } from "preact/hooks";
import { ContextPane } from "../components/inbox/ContextPane.tsx";
import { InboxProvider } from "../components/inbox/context.ts";
import { ListPane } from "../components/inbox/ListPane.tsx";
import { SnoozePicker } from "../components/inbox/SnoozePicker.tsx";
import { ThreadPane } from "../components/inbox/ThreadPane.tsx";
import { type Pane, usePaneFocus } from "../components/inbox/use_pane_focus.ts";
import { useShortcuts } from "../components/inbox/use_shortcuts.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import { titleOf } from "../components/format/names.ts";
import { createInbox, type InboxModel, type InboxStart } from "../components/live/inbox_model.ts";
import { ConnectionBanner } from "../components/shell/ConnectionBanner.tsx";
import { WorkspaceProvider } from "../components/shell/context.ts";
import { Overlays } from "../components/shell/Overlays.tsx";
import { Rail } from "../components/shell/Rail.tsx";
import { usePageKeys } from "../components/shell/use_page_keys.ts";
import { Toasts } from "../components/ui/Toasts.tsx";
import { isolate } from "../protocol/visible_text.ts";
import { PageHost } from "../components/shell/PageHost.tsx";

/** The whole inbox: one island, so that moving between conversations never loads a page. */
function Content({ start }: { start: Packed<InboxStart> }) {
  const inbox = useMemo(() => createInbox(unpack(start)), []);
  useEffect(() => inbox.begin(), []);
  usePageKeys(inbox);
  useShortcuts(inbox);
  return (
    <WorkspaceProvider value={inbox}>
      <InboxProvider value={inbox}>
        <Frame inbox={inbox} />
      </InboxProvider>
    </WorkspaceProvider>
  );
}

function Frame({ inbox }: { inbox: InboxModel }) {
  const selected = inbox.selectedId.value !== null;
  // A conversation that does not exist has no details.
  const known = inbox.selected.value !== null;
  const pane: Pane = !selected ? "list" : inbox.drawerOpen.value ? "details" : "thread";
  usePaneFocus(inbox, pane);
  return (
    <div
      class="shell"
      data-pane={pane}
      data-context={known && inbox.contextOpen.value ? "open" : "closed"}
      data-drawer={known && inbox.drawerOpen.value ? "open" : "closed"}
    >
      <a class="skip-link" href="#thread">Skip to the conversation</a>
      <ConnectionBanner />
      <Rail
        section="inbox"
        unread={inbox.list.totalUnread.value}
        inbox={{ href: inbox.pathOf(null), open: () => inbox.select(null) }}
      />
      <main class="panes">
        <h1 class="sr-only">
          {inbox.selected.value
            ? `Conversation with ${isolate(titleOf(inbox.selected.value))}`
            : "Inbox"}
        </h1>
        <ListPane />
        <ThreadPane />
      </main>
      <ContextPane />
      <Toasts toasts={inbox.toasts} />
      <SnoozePicker />
      <Overlays inbox={inbox} />
      <div class="sr-only" aria-live="polite">{inbox.announcement.value}</div>
    </div>
  );
}

export default function InboxApp({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
InboxApp.Page = Content;
