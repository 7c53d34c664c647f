import { useEffect, useRef } from "preact/hooks";
import { AtSign, CircleAlert, Inbox, PartyPopper, Tag, Users } from "lucide-preact";
import { lazily } from "../files/lazily.tsx";
import { filterQuery } from "../live/list_state.ts";
import { Button } from "../ui/Button.tsx";
import { EmptyState } from "../ui/EmptyState.tsx";
import { ListSkeleton } from "../ui/Skeleton.tsx";
import { useLazy } from "../ui/use_lazy.ts";
import { ConversationRow } from "./ConversationRow.tsx";
import { useInbox } from "./context.ts";
import { ListFilters } from "./ListFilters.tsx";
import { ViewTasks } from "./ViewMenu.tsx";
import { useRovingRows } from "./use_roving_rows.ts";
import { useSelectedInView } from "./use_selected_in_view.ts";

const SearchResults = lazily(async () => (await import("./SearchResults.tsx")).SearchResults);

export function ListPane() {
  const inbox = useInbox();
  return (
    <section
      class="list-pane"
      data-density={inbox.density.value}
      aria-label="Conversations"
    >
      <ListFilters />
      <ViewTasks />
      <Selection />
      <div class="list-scroll" aria-busy={inbox.list.status.value === "loading"}>
        {inbox.search.searching.value
          ? (
            <SearchResults>
              <ListSkeleton rows={4} label="Searching" />
            </SearchResults>
          )
          : <ListBody />}
      </div>
    </section>
  );
}

/** What can be done with the selected rows. */
function Selection() {
  const { bulk, search, fail } = useInbox();
  const isShown = bulk.selected.value.length > 0 && !search.searching.value;
  const BulkBar = useLazy(() => import("./BulkBar.tsx"), isShown, fail);
  return isShown && BulkBar !== null ? <BulkBar /> : null;
}

function ListBody() {
  const inbox = useInbox();
  const { list } = inbox;
  const rows = list.visible.value;
  const roving = useRovingRows();
  const selectedId = inbox.selectedId.value;
  const selectedIndex = rows.findIndex((row) => row.conversation.id === selectedId);
  useSelectedInView(roving.ref, selectedId, selectedIndex);
  if (list.status.value === "loading") {
    return <ListSkeleton rows={7} label="Loading conversations" />;
  }
  if (list.status.value === "error") {
    return (
      <EmptyState
        tone="bad"
        icon={<CircleAlert size={20} />}
        title="The list could not be loaded"
        action={<Button onClick={() => list.reload()}>Try again</Button>}
      >
        {list.error.value}
      </EmptyState>
    );
  }
  if (rows.length === 0) return <EmptyList />;
  return (
    <>
      <ul class="rows" ref={roving.ref} onKeyDown={roving.onKeyDown} onFocusIn={roving.onFocusIn}>
        {rows.map((row) => (
          <ConversationRow
            key={row.conversation.id}
            row={row}
            tabbable={row.conversation.id === roving.tabbable(rows)}
          />
        ))}
      </ul>
      <ListEnd />
    </>
  );
}

/** Loads the next page when it is nearly visible; after an error a button does. */
function ListEnd() {
  const { list } = useInbox();
  const ref = useRef<HTMLDivElement>(null);
  const more = list.hasMore.value;
  const failed = list.error.value;
  const loading = list.loadingMore.value;
  useEffect(() => {
    if (!more || failed || loading || ref.current === null) return;
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && list.loadMore(),
      { root: ref.current.closest(".list-scroll"), rootMargin: "600px" },
    );
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, [more, failed, loading]);
  if (!more) return null;
  return (
    <div class="list-end" ref={ref}>
      {failed
        ? (
          <>
            <p role="alert">{failed}</p>
            <Button size="s" onClick={() => list.loadMore()}>Load more</Button>
          </>
        )
        : <ListSkeleton rows={2} label="Loading more conversations" />}
    </div>
  );
}

function EmptyList() {
  const inbox = useInbox();
  const { label, priority, ...filter } = inbox.list.filter.value;
  const { view, status } = filter;
  if (label !== undefined) {
    return (
      <EmptyState
        icon={<Tag size={20} />}
        title="Nothing with this label"
        action={
          <Button onClick={() => inbox.setFilter({ ...filter, priority })}>
            Show any label
          </Button>
        }
      >
        No conversation in this list has it.
      </EmptyState>
    );
  }
  if (priority !== undefined) {
    return (
      <EmptyState
        icon={<Inbox size={20} />}
        title="Nothing with this priority"
        action={<Button onClick={() => inbox.setFilter(filter)}>Show any priority</Button>}
      >
        No conversation in this list has it.
      </EmptyState>
    );
  }
  if (filterQuery(filter) !== filterQuery({ view, status })) {
    return (
      <EmptyState
        icon={<Inbox size={20} />}
        title="Nothing fits the filter"
        action={<Button onClick={() => inbox.setFilter({ view, status })}>End the filter</Button>}
      />
    );
  }
  if (view === "mentions") {
    return (
      <EmptyState icon={<AtSign size={20} />} title="Nobody mentions you here">
        A colleague who writes “@” and your name in a note asks you to look at it.
      </EmptyState>
    );
  }
  const showAll = (
    <Button onClick={() => inbox.setFilter({ ...filter, view: "all" })}>Show everybody's</Button>
  );
  if (view === "mine") {
    return (
      <EmptyState icon={<Inbox size={20} />} title="Nothing assigned to you" action={showAll}>
        Take a conversation with “Assign to me” and it shows up here.
      </EmptyState>
    );
  }
  if (view === "unassigned") {
    return (
      <EmptyState icon={<Users size={20} />} title="Everything is assigned" action={showAll}>
        No conversation in this list is unassigned.
      </EmptyState>
    );
  }
  if (status === "open") {
    return (
      <EmptyState
        icon={<PartyPopper size={20} />}
        title="All caught up"
        action={
          <>
            <Button onClick={() => inbox.setFilter({ ...filter, status: "all" })}>
              Show all conversations
            </Button>
            <a class="button" data-kind="quiet" href="/demo" target="_blank">Open the demo site</a>
          </>
        }
      >
        New conversations appear here the moment somebody writes.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={<Inbox size={20} />}
      title="No conversations here"
      action={
        <Button onClick={() => inbox.setFilter({ ...filter, status: "open" })}>Show open</Button>
      }
    />
  );
}
