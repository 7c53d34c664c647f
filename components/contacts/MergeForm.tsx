import { useEffect, useState } from "preact/hooks";
import type { ContactEntry, ContactList, ContactProfile } from "../../protocol/contacts.ts";
import { contactName } from "../format/names.ts";
import { errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Avatar } from "../ui/Avatar.tsx";
import { Button } from "../ui/Button.tsx";
import { Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { isolate } from "../../protocol/visible_text.ts";

const SETTLE_MS = 200;
const SHOWN = 8;

/** Finds the contact that is the same person, and merges it. */
export function MergeForm({ profile, onDone, onClose }: {
  profile: ContactProfile;
  onDone: (profile: ContactProfile) => void;
  onClose: () => void;
}) {
  const { request, toasts } = useWorkspace();
  const { contact, memberIds } = profile;
  // The same address is the best sign of the same person.
  const [q, setQ] = useState(contact.email ?? "");
  const [found, setFound] = useState<ContactEntry[] | null>(null);
  const [chosen, setChosen] = useState<ContactEntry | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    const ended = new AbortController();
    const timer = setTimeout(() => {
      const query = new URLSearchParams({ q, sort: "recent", limit: String(SHOWN) });
      request<ContactList>(`/api/contacts?${query}`, { signal: ended.signal }).then(
        ({ items }) => setFound(items.filter(({ id }) => !memberIds.includes(id))),
        (error) => ended.signal.aborted || setProblem(errorText(error)),
      );
    }, SETTLE_MS);
    return () => {
      clearTimeout(timer);
      ended.abort();
    };
  }, [q]);

  const merge = async (event: Event) => {
    event.preventDefault();
    if (busy || chosen === null) return;
    setBusy(true);
    setProblem(null);
    try {
      const body = { contactId: chosen.id };
      const path = `/api/contacts/${contact.id}/merges`;
      onDone(await request<ContactProfile>(path, { method: "POST", body }));
      toasts.show({ tone: "good", text: `Merged with ${isolate(contactName(chosen))}.` });
    } catch (error) {
      setProblem(errorText(error));
      setBusy(false);
    }
  };
  return (
    <form class="dialog-form" noValidate onSubmit={merge}>
      <Field
        id="merge-q"
        type="search"
        label="The same person"
        placeholder="Name or e-mail"
        value={q}
        autocomplete="off"
        autofocus
        maxLength={200}
        onInput={(event) => {
          setQ(event.currentTarget.value);
          setChosen(null);
        }}
      />
      <div class="merge-found" role="radiogroup" aria-label="Found contacts">
        {found?.length === 0 && <p class="field-hint" role="status">No other contact found.</p>}
        {found?.map((entry) => (
          <label key={entry.id}>
            <input
              type="radio"
              name="merge"
              checked={chosen?.id === entry.id}
              onChange={() => setChosen(entry)}
            />
            <Avatar id={entry.id} name={contactName(entry)} size="m" />
            <span class="card-words">
              <strong dir="auto">{contactName(entry)}</strong>
              <span dir="auto">{entry.email ?? entry.preview ?? "No e-mail address"}</span>
            </span>
          </label>
        ))}
      </div>
      <p class="field-hint">
        Your team sees them as one contact, called{" "}
        {isolate(contactName(contact))}. Visitors do not see each other's conversations. You can
        undo this.
      </p>
      <div aria-live="assertive">{problem && <Notice>{problem}</Notice>}</div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onClose}>Cancel</Button>
        <Button type="submit" kind="primary" busy={busy} unavailable={chosen === null}>
          Merge
        </Button>
      </div>
    </form>
  );
}
