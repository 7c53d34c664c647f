import { useMemo } from "preact/hooks";
import type { User } from "../protocol/model.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { PeopleSettings } from "../components/settings/PeopleSettings.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";

export interface PeopleStart {
  page: PageStart;
  people: User[];
}

function Content({ start }: { start: Packed<PeopleStart> }) {
  const { page, people } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="settings">
      <PeopleSettings people={people} />
    </PageShell>
  );
}

export default function PeoplePage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
PeoplePage.Page = Content;
