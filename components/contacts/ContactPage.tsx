import "../styles/contacts.css";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { ContactProfile } from "../../protocol/contacts.ts";
import { ContactCard, type ContactEdit } from "../inbox/ContactCard.tsx";
import { ContactNotes } from "../inbox/ContactNotes.tsx";
import { contactName } from "../format/names.ts";
import { mediumTime } from "../format/time.ts";
import { createDocuments } from "../live/documents_model.ts";
import { useWorkspace } from "../shell/context.ts";
import { PageHead } from "../shell/PageShell.tsx";
import { presenceWord } from "../ui/Avatar.tsx";
import { Badge } from "../ui/Badge.tsx";
import { Time } from "../ui/Time.tsx";
import { ContactActions } from "./ContactActions.tsx";
import { EpisodesSection } from "./EpisodesSection.tsx";
import { Fact, PageLink } from "./facts.tsx";
import { MergesSection } from "./MergesSection.tsx";
import { IdentitySection, PagesSection, VisitSection } from "./ProfileSections.tsx";

/** Everything about one person. */
export function ContactPage({ first }: { first: ContactProfile }) {
  const workspace = useWorkspace();
  const [profile, setProfile] = useState(first);
  const { request, user, fail, live } = workspace;
  const { contact, memberIds } = profile;
  const documents = useMemo(() => createDocuments(user.id, fail), []);
  const isLive = live.value;
  // The notes open after the documents have begun: effects of children run first.
  const [hasBegun, setHasBegun] = useState(false);
  useEffect(() => {
    const client = workspace.client();
    if (!isLive || client === null) return;
    const end = documents.begin(client);
    setHasBegun(true);
    return end;
  }, [isLive]);

  const online = isLive
    ? memberIds.map((id) => workspace.presence.of(id)).find((one) => one !== undefined)
    : undefined;
  const reload = () =>
    void request<ContactProfile>(`/api/contacts/${contact.id}/profile`).then(setProfile, fail);
  // Another page is another entry of the list.
  useEffect(() => {
    if (online?.page) reload();
  }, [online?.page?.url]);
  async function save(id: string, body: ContactEdit) {
    await request(`/api/contacts/${id}`, { method: "PATCH", body });
    reload();
  }
  return (
    <div class="page-width" data-wide="">
      <PageHead
        back={{ href: "/contacts", label: "Contacts" }}
        title={
          <>
            <bdi>{contactName(contact)}</bdi>
            {profile.blocked && <Badge tone="warn">Blocked</Badge>}
          </>
        }
        lead={profile.blocked && (
          <>
            {profile.blocked.by === null ? "Blocked " : `Blocked by ${profile.blocked.by} `}
            <Time iso={profile.blocked.at} clock={workspace.clock.value} as={mediumTime} />.{" "}
            They can read but not write.
          </>
        )}
        action={<ContactActions profile={profile} onChange={setProfile} />}
      />
      <div class="contact-page">
        <div class="contact-side context-scroll">
          <h2 class="sr-only">Who they are</h2>
          <ContactCard contact={contact} status={online?.status ?? "offline"} onSave={save} />
          <section aria-labelledby="context-visitor">
            <h3 id="context-visitor">Visitor</h3>
            <dl class="facts">
              <Fact name="Presence">
                {isLive ? presenceWord(online?.status ?? "offline") : "–"}
              </Fact>
              {online?.page && (
                <Fact name="Current page">
                  <PageLink url={online.page.url} title={online.page.title} />
                </Fact>
              )}
              {contact.lastSeenAt && (
                <Fact name="Last seen">
                  <Time iso={contact.lastSeenAt} clock={workspace.clock.value} as={mediumTime} />
                </Fact>
              )}
              <Fact name="First seen">
                <Time iso={contact.createdAt} clock={workspace.clock.value} as={mediumTime} />
              </Fact>
            </dl>
          </section>
          <IdentitySection profile={profile} onSaved={reload} />
          <VisitSection profile={profile} />
          <MergesSection profile={profile} onChange={setProfile} />
        </div>
        <div class="contact-main context-scroll">
          <h2 class="sr-only">What happened</h2>
          {memberIds.map((id) => (
            <ContactNotes
              key={id}
              contactId={id}
              documents={documents}
              isShown={hasBegun}
              title={id === contact.id ? "Notes" : `Notes of ${nameOf(profile, id)}`}
            />
          ))}
          {profile.episodes.length === 0
            ? (
              <section aria-label="Conversations">
                <h3>Conversations</h3>
                <p class="contact-none">They have not written yet.</p>
              </section>
            )
            : <EpisodesSection episodes={profile.episodes} title="Conversations" />}
          <PagesSection profile={profile} />
        </div>
      </div>
    </div>
  );
}

/** What a merged contact was called before. */
function nameOf({ merges }: ContactProfile, id: string): string {
  return merges.find(({ contactId }) => contactId === id)?.name ?? "a merged contact";
}
