import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { CircleAlert, Lock, SearchX } from "lucide-preact";
import type { Marked } from "../../protocol/search.ts";
import { type Found, partsOf } from "../live/search_rows.ts";
import { shortAge } from "../format/time.ts";
import { contactName, STATUS_WORDS } from "../format/names.ts";
import { Avatar } from "../ui/Avatar.tsx";
import { Button } from "../ui/Button.tsx";
import { EmptyState } from "../ui/EmptyState.tsx";
import { ListSkeleton } from "../ui/Skeleton.tsx";
import { Spinner } from "../ui/Spinner.tsx";
import { Time } from "../ui/Time.tsx";
import { useInbox } from "./context.ts";
import { optionId, RESULTS_ID } from "./search_ids.ts";
import { isolate } from "../../protocol/visible_text.ts";

const MORE = {
  conversations: "More conversations",
  contacts: "More people",
  messages: "More messages",
};

/** The results of the search, in place of the list. The search box keeps the focus. */
export function SearchResults() {
  const { search } = useInbox();
  const status = search.status.value;
  const groups = search.groups.value;
  const active = search.active.value;
  useEffect(() => {
    if (active !== null) {
      document.getElementById(optionId(active))?.scrollIntoView({ block: "nearest" });
    }
  }, [active]);

  if (status === "error") {
    return (
      <EmptyState
        tone="bad"
        icon={<CircleAlert size={20} />}
        title="The search failed"
        action={<Button onClick={() => search.run()}>Try again</Button>}
      >
        {search.error.value}
      </EmptyState>
    );
  }
  // Results are rendered exactly when the search box refers to them.
  if (search.answered.value === null) return <ListSkeleton rows={4} label="Searching" />;
  if (groups.length === 0) {
    return (
      <EmptyState icon={<SearchX size={20} />} title="Nothing found">
        Nothing contains all words of “{search.answered.value}”. Three letters of a word are enough.
      </EmptyState>
    );
  }
  return (
    <div
      class="found"
      id={RESULTS_ID}
      role="listbox"
      aria-label="Search results"
      aria-busy={status === "asking" ? "true" : undefined}
    >
      {groups.map(({ kind, title, rows }) => (
        <div key={kind} role="group" aria-labelledby={`found-${kind}`}>
          <h3 class="found-title" id={`found-${kind}`} role="presentation">{title}</h3>
          {rows.map((row) => (
            <div
              key={row.key}
              id={optionId(row.key)}
              class="found-row"
              role="option"
              data-kind={row.kind}
              aria-selected={row.key === active ? "true" : "false"}
              // The focus stays in the box.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() =>
                search.open(row)}
            >
              <Row row={row} />
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}

function Row({ row }: { row: Found }) {
  const { search } = useInbox();
  if (row.kind === "more") {
    const busy = search.loading.value === row.of;
    return (
      <span class="found-more">
        {busy && <Spinner />}
        {MORE[row.of]}
      </span>
    );
  }
  if (row.kind === "contact") {
    const { id, name, email, conversationId } = row.contact;
    return (
      <Body id={id} name={contactName({ id, name: name.text })} title={<Name id={id} of={name} />}>
        <span class="found-text truncate">
          {email
            ? (
              <bdi>
                <Marks of={email} />
              </bdi>
            )
            : conversationId === null && "No conversation yet"}
        </span>
      </Body>
    );
  }
  if (row.kind === "conversation") {
    const { contextId, contact, preview, lastActivityAt, status } = row.conversation;
    const name = <Name id={contact.id} of={contact.name} />;
    const byEmail = contact.email !== null && contact.email.ranges.length > 0;
    return (
      <Body
        id={contact.id}
        name={contactName({ id: contact.id, name: contact.name.text })}
        title={contextId === null ? name : (
          <>
            <bdi>
              <Marks of={contextId} />
            </bdi>{" "}
            · <bdi>{name}</bdi>
          </>
        )}
        at={lastActivityAt}
      >
        <span class="found-text truncate">
          {status !== "open" && <span class="found-status">{`${STATUS_WORDS[status]} · `}</span>}
          <bdi>{byEmail ? <Marks of={contact.email!} /> : preview || "No messages yet"}</bdi>
        </span>
      </Body>
    );
  }
  const { conversation, sender, isPrivate, snippet, createdAt } = row.message;
  const { contact, contextId } = conversation;
  const name = contactName(contact);
  return (
    <Body
      id={contact.id}
      name={name}
      title={contextId === null ? name : `${isolate(contextId)} · ${isolate(name)}`}
      at={createdAt}
    >
      <span class="found-text found-snippet">
        {isPrivate
          ? (
            <span class="row-note">
              <Lock size={12} aria-hidden="true" /> Note:{" "}
            </span>
          )
          : sender.role !== "visitor" && (
            <span class="row-own">{`${isolate(sender.userName)}: `}</span>
          )}
        <bdi>
          <Marks of={snippet} />
        </bdi>
      </span>
    </Body>
  );
}

interface BodyProps {
  id: string;
  name: string;
  title: ComponentChildren;
  at?: string;
  children: ComponentChildren;
}

function Body({ id, name, title, at, children }: BodyProps) {
  const inbox = useInbox();
  return (
    <>
      <Avatar id={id} name={name} size="m" />
      <span class="row-body">
        <span class="row-top">
          <span class="row-name truncate" dir="auto">{title}</span>
          {at && <Time iso={at} clock={inbox.clock.value} as={shortAge} />}
        </span>
        {children}
      </span>
    </>
  );
}

/** A contact's name with its matches. */
function Name({ id, of }: { id: string; of: Marked }) {
  return of.text.trim() === "" ? <>{contactName({ id, name: "" })}</> : <Marks of={of} />;
}

function Marks({ of }: { of: Marked }) {
  return <>{partsOf(of).map(({ text, found }, i) => found ? <mark key={i}>{text}</mark> : text)}</>;
}
