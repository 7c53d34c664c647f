import type { Conversation } from "../../protocol/model.ts";
import type { Episode } from "../../protocol/contacts.ts";
import { Ban, ContactRound } from "lucide-preact";
import { isolate } from "../../protocol/visible_text.ts";
import { ContactNotes } from "../inbox/ContactNotes.tsx";
import { useInbox } from "../inbox/context.ts";
import { Button } from "../ui/Button.tsx";
import { EpisodesSection } from "./EpisodesSection.tsx";
import { IdentitySection, PagesSection, VisitSection } from "./ProfileSections.tsx";
import { useProfile } from "./use_profile.ts";

/** What is known about the customer of the open conversation. */
export function CustomerDetails({ conversation }: { conversation: Conversation }) {
  const inbox = useInbox();
  const { contact } = conversation;
  const page = inbox.presence.of(contact.id)?.page;
  const isShown = inbox.live.value && inbox.detailsShown.value;
  // Another page or status is another entry, and another name has somebody who set it.
  const version = [page?.url, conversation.status, contact.name, contact.email].join(" ");
  const { profile, problem, reload } = useProfile(contact.id, version, isShown);
  if (profile === null) {
    return problem === null ? null : (
      <section>
        <p class="notes-failed" role="alert">
          {problem} <Button size="s" onClick={reload}>Try again</Button>
        </p>
      </section>
    );
  }
  const isOpen = ({ conversationId, status }: Episode) =>
    conversationId === conversation.id &&
    (status !== "resolved" || conversation.status === "resolved");
  // The part that the thread shows at its end is no earlier one.
  const current = profile.episodes.find(isOpen);
  const earlier = profile.episodes.filter((episode) => episode !== current);
  const open = ({ conversationId, afterSeq }: Episode) => {
    void inbox.request<{ items: { id: string; seq: number }[] }>(
      `/api/conversations/${conversationId}/messages?after=${afterSeq}&limit=1`,
    ).then(({ items: [first] }) => {
      inbox.target.value = first === undefined
        ? null
        : { conversationId, messageId: first.id, seq: first.seq };
      inbox.select(conversationId);
    }, inbox.fail);
  };
  const others = profile.memberIds.filter((id) => id !== contact.id);
  return (
    <>
      <section aria-label="Contact page">
        <div class="section-foot">
          <a
            class="button"
            data-kind="quiet"
            data-size="s"
            href={`/contacts/${profile.contact.id}`}
          >
            <ContactRound size={14} aria-hidden="true" />
            {others.length > 0 ? "Contact page, merged" : "Contact page"}
          </a>
        </div>
        {profile.blocked && (
          <p class="contact-blocked">
            <Ban size={14} aria-hidden="true" />
            {profile.blocked.by === null ? "Blocked" : `Blocked by ${isolate(profile.blocked.by)}`}
          </p>
        )}
      </section>
      {others.map((id) => (
        <ContactNotes
          key={id}
          contactId={id}
          documents={inbox.documents}
          isShown={isShown}
          title="Notes of the merged contact"
        />
      ))}
      <EpisodesSection episodes={earlier} title="Earlier conversations" onOpen={open} />
      <IdentitySection profile={profile} onSaved={reload} />
      <PagesSection profile={profile} />
      <VisitSection profile={profile} />
    </>
  );
}
