import { useEffect, useRef, useState } from "preact/hooks";
import { type DocumentsModel, type SharedText, WRITER } from "../live/documents_model.ts";
import { Button } from "../ui/Button.tsx";
import { SharedArea } from "../writing/SharedArea.tsx";
import { Writers } from "../writing/Writers.tsx";

/** The team's notes about a contact: one text, shown in all of the contact's conversations. */
export function ContactNotes({ contactId, documents, isShown, title = "Notes" }: {
  contactId: string;
  documents: DocumentsModel;
  /** Only open while it is visible. */
  isShown: boolean;
  title?: string;
}) {
  const [shared, setShared] = useState<SharedText | "failed" | null>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    if (!isShown) return;
    let isOver = false;
    const opening = documents.open({ contactId }, WRITER);
    opening.then((mine) => !isOver && setShared(mine), () => !isOver && setShared("failed"));
    return () => {
      isOver = true;
      setShared(null);
      opening.then(documents.release, () => {});
    };
  }, [contactId, isShown, tries]);
  const again = () => {
    if (shared !== null && shared !== "failed") shared.document.close();
    setTries(tries + 1);
  };
  return (
    <section class="notes" aria-label={title}>
      <h3>{title}</h3>
      {shared === "failed" || shared?.status.value === "failed"
        ? (
          <p class="notes-failed">
            The notes could not be loaded. <Button size="s" onClick={again}>Try again</Button>
          </p>
        )
        : shared === null || shared.status.value === "loading"
        ? (
          <div class="skeleton notes-loading" role="status" aria-label="Loading the notes">
            <i />
          </div>
        )
        : <Notes shared={shared} />}
    </section>
  );
}

function Notes({ shared }: { shared: SharedText }) {
  const box = useRef<HTMLTextAreaElement>(null);
  const { others, cursors, status, settled, text } = shared;
  const writing = others.value.filter(({ userId }) =>
    cursors.value.some((cursor) => cursor.userId === userId)
  );
  const state = status.value === "offline"
    ? "Not connected. What you write is kept, and saved later."
    : settled.value
    ? text.value === "" ? "" : "Saved"
    : "Saving …";
  return (
    <>
      <SharedArea
        shared={shared}
        areaRef={box}
        rows={2}
        aria-label="Notes about this contact, which only your team sees"
        placeholder="What your team should know about this person"
        onKeyDown={(event) => {
          if (event.key === "Escape") box.current?.blur();
        }}
      />
      <p class="notes-foot">
        {writing.length > 0 && <Writers people={writing} />}
        <span role="status">{state}</span>
      </p>
    </>
  );
}
