import "../styles/pages/audit.css";
import "../styles/contacts.css";
import { useRef, useState } from "preact/hooks";
import { ContactRound } from "lucide-preact";
import type { ContactEntry, ContactList } from "../../protocol/contacts.ts";
import { contactName } from "../format/names.ts";
import { shortAge } from "../format/time.ts";
import { errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { PageHead } from "../shell/PageShell.tsx";
import { Avatar } from "../ui/Avatar.tsx";
import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/Button.tsx";
import { EmptyState } from "../ui/EmptyState.tsx";
import { Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Select } from "../ui/Select.tsx";
import { Time } from "../ui/Time.tsx";
import { type Choice, DEFAULT_CHOICE, queryOf, searchOf } from "./choice.ts";

export interface ContactsProps {
  first: ContactList;
  choice: Choice;
}

const VIEWS = [
  { value: "wrote", label: "Have written" },
  { value: "all", label: "Everybody" },
  { value: "blocked", label: "Blocked" },
];
const EMAILS = [
  { value: "", label: "With or without" },
  { value: "true", label: "With an address" },
  { value: "false", label: "Without an address" },
];
const SORTS = [
  { value: "recent", label: "Last seen" },
  { value: "newest", label: "Newest" },
  { value: "name", label: "Name" },
];

/** Milliseconds between a key and the search. */
const SETTLE_MS = 200;

export function ContactsBoard({ first, choice: given }: ContactsProps) {
  const { request } = useWorkspace();
  const [items, setItems] = useState(first.items);
  const [nextCursor, setNextCursor] = useState(first.nextCursor);
  const [choice, setChoice] = useState(given);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const current = useRef<AbortController | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>();

  async function load(next: Choice, cursor: string | null) {
    current.current?.abort();
    const mine = current.current = new AbortController();
    setBusy(true);
    const query = queryOf(next);
    if (cursor !== null) query.set("cursor", cursor);
    try {
      const list = await request<ContactList>(`/api/contacts?${query}`, { signal: mine.signal });
      if (mine.signal.aborted) return;
      setItems((before) => cursor === null ? list.items : [...before, ...list.items]);
      setNextCursor(list.nextCursor);
      setProblem(null);
    } catch (error) {
      if (mine.signal.aborted) return;
      setProblem(errorText(error));
    }
    setBusy(false);
  }
  function choose(part: Partial<Choice>, waitMs = 0) {
    const next = { ...choice, ...part };
    setChoice(next);
    history.replaceState(history.state, "", location.pathname + searchOf(next));
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void load(next, null), waitMs);
  }
  const isFiltered = searchOf({ ...choice, sort: DEFAULT_CHOICE.sort }) !== "";
  return (
    <div class="page-width">
      <PageHead title="Contacts" lead="Everyone who has written to you or visited." />
      <div class="audit-filters" role="search" aria-label="Find contacts">
        <Field
          id="contacts-q"
          type="search"
          label="Find"
          placeholder="Name or e-mail"
          value={choice.q}
          autocomplete="off"
          maxLength={200}
          onInput={(event) => choose({ q: event.currentTarget.value }, SETTLE_MS)}
        />
        <Select
          id="contacts-view"
          label="Who"
          value={choice.view}
          options={VIEWS}
          onChange={(view) => choose({ view: view as Choice["view"] })}
        />
        <Select
          id="contacts-email"
          label="E-mail"
          value={choice.hasEmail}
          options={EMAILS}
          onChange={(hasEmail) => choose({ hasEmail: hasEmail as Choice["hasEmail"] })}
        />
        <Select
          id="contacts-sort"
          label="Sorted by"
          value={choice.sort}
          options={SORTS}
          onChange={(sort) => choose({ sort: sort as Choice["sort"] })}
        />
      </div>
      <div aria-live="assertive">
        {problem && (
          <Notice>
            {problem}{" "}
            <button type="button" class="link" onClick={() => void load(choice, null)}>
              Try again
            </button>
          </Notice>
        )}
      </div>
      <p class="sr-only" role="status">
        {busy ? "Loading" : `${items.length} contacts are shown`}
      </p>
      {items.length === 0 && !busy && problem === null
        ? (
          <EmptyState
            icon={<ContactRound size={20} />}
            title={isFiltered ? "Nobody found" : "Nobody has written yet"}
            action={isFiltered && (
              <Button onClick={() => choose({ q: "", view: "all", hasEmail: "" })}>
                Show everybody
              </Button>
            )}
          >
            {isFiltered
              ? "No contact matches this filter."
              : "People who write through your widget appear here."}
          </EmptyState>
        )
        : (
          <ul class="cards contacts" aria-label="Contacts" aria-busy={busy}>
            {items.map((entry) => <ContactRow key={entry.id} entry={entry} />)}
          </ul>
        )}
      {nextCursor !== null && (
        <div class="audit-more">
          <Button busy={busy} onClick={() => void load(choice, nextCursor)}>Show more</Button>
        </div>
      )}
    </div>
  );
}

function ContactRow({ entry }: { entry: ContactEntry }) {
  const { clock, presence, live } = useWorkspace();
  const name = contactName(entry);
  const status = live.value ? presence.statusOf(entry.id) : undefined;
  return (
    <li>
      <a href={`/contacts/${entry.id}`}>
        <Avatar id={entry.id} name={name} presence={status} />
        <span class="card-words">
          <strong dir="auto">{name}</strong>
          <span dir="auto">{entry.email ?? "No e-mail address"}</span>
        </span>
        {entry.preview && <span class="contact-preview truncate" dir="auto">{entry.preview}</span>}
        {entry.blockedAt && <Badge tone="warn">Blocked</Badge>}
        <span class="contact-seen">
          {status === "online" ? "Online" : (
            <Time
              iso={entry.lastSeenAt ?? entry.createdAt}
              clock={clock.value}
              as={shortAge}
            />
          )}
        </span>
      </a>
    </li>
  );
}
