import { useMemo } from "preact/hooks";
import { SearchX } from "lucide-preact";
import type { ContactProfile } from "../protocol/contacts.ts";
import { ContactPage as Board } from "../components/contacts/ContactPage.tsx";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { PageHost } from "../components/shell/PageHost.tsx";
import { PageHead, PageShell } from "../components/shell/PageShell.tsx";
import { EmptyState } from "../components/ui/EmptyState.tsx";

export interface ContactStart {
  page: PageStart;
  /** Null where no contact has this id. */
  profile: ContactProfile | null;
}

function Content({ start }: { start: Packed<ContactStart> }) {
  const { page, profile } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="contacts">
      {profile === null
        ? (
          <div class="page-width">
            <PageHead back={{ href: "/contacts", label: "Contacts" }} title="Contact not found" />
            <EmptyState
              icon={<SearchX size={20} />}
              title="There is no contact with this address"
              action={<a class="button" data-kind="plain" href="/contacts">Show all contacts</a>}
            >
              They may have been erased.
            </EmptyState>
          </div>
        )
        : <Board first={profile} />}
    </PageShell>
  );
}

export default function ContactPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
ContactPage.Page = Content;
