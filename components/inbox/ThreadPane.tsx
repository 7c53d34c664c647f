import { CircleAlert, MessagesSquare, SearchX } from "lucide-preact";
import { Button } from "../ui/Button.tsx";
import { EmptyState } from "../ui/EmptyState.tsx";
import { ThreadSkeleton } from "../ui/Skeleton.tsx";
import { Composer } from "./Composer.tsx";
import { useInbox } from "./context.ts";
import { MessageList } from "./MessageList.tsx";
import { ThreadHeader } from "./ThreadHeader.tsx";

export function ThreadPane() {
  const inbox = useInbox();
  const id = inbox.selectedId.value;
  if (id === null) {
    return (
      <section class="thread-pane" id="thread" tabIndex={-1} aria-label="Thread">
        <NothingSelected />
      </section>
    );
  }
  const { status, error } = inbox.thread.snapshot.value;
  const missing = error?.code === "not_found" || error?.code === "invalid";
  return (
    <section
      class="thread-pane"
      id="thread"
      tabIndex={-1}
      aria-label="Thread"
      aria-busy={status === "loading"}
    >
      {!missing && <ThreadHeader />}
      {status === "loading" && <ThreadSkeleton label="Loading the conversation" />}
      {status === "error" && missing && (
        <EmptyState
          icon={<SearchX size={20} />}
          title="This conversation does not exist"
          action={<Button onClick={inbox.leaveDeleted}>Back to the inbox</Button>}
        >
          The address may be mistyped, or the conversation was deleted.
        </EmptyState>
      )}
      {status === "error" && !missing && (
        <EmptyState
          tone="bad"
          icon={<CircleAlert size={20} />}
          title="The conversation could not be loaded"
          action={<Button onClick={inbox.thread.retry}>Try again</Button>}
        >
          {error?.message}
        </EmptyState>
      )}
      {status === "ready" && (
        <>
          <MessageList key={id} />
          <Composer key={`composer-${id}`} id={id} />
        </>
      )}
    </section>
  );
}

function NothingSelected() {
  const inbox = useInbox();
  const first = inbox.list.visible.value[0]?.conversation;
  return (
    <EmptyState
      icon={<MessagesSquare size={20} />}
      title={first ? "Pick a conversation" : "No conversation yet"}
      action={first
        ? (
          <Button kind="primary" onClick={() => inbox.select(first.id)}>
            Open the newest
          </Button>
        )
        : <a class="button" data-kind="primary" href="/demo" target="_blank">Open the demo site</a>}
    >
      {first
        ? (
          <>
            Choose one on the left, or move with <kbd class="kbd">J</kbd> and{" "}
            <kbd class="kbd">K</kbd>.
          </>
        )
        : "Write to yourself as a visitor on the demo site, and answer here."}
    </EmptyState>
  );
}
