import { useMemo } from "preact/hooks";
import { ContactsBoard, type ContactsProps } from "../components/contacts/ContactsBoard.tsx";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { PageHost } from "../components/shell/PageHost.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";

export interface ContactsStart extends ContactsProps {
  page: PageStart;
}

function Content({ start }: { start: Packed<ContactsStart> }) {
  const { page, ...rest } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="contacts">
      <ContactsBoard {...rest} />
    </PageShell>
  );
}

export default function ContactsPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
ContactsPage.Page = Content;
