import { useState } from "preact/hooks";
import { Check, Copy } from "lucide-preact";
import type { Conversation } from "../../protocol/model.ts";
import { CustomerDetails } from "../contacts/CustomerDetails.tsx";
import { Fact, PageLink } from "../contacts/facts.tsx";
import { mediumTime, waitedFor } from "../format/time.ts";
import { channelWord, STATUS_WORDS } from "../format/names.ts";
import { presenceWord } from "../ui/Avatar.tsx";
import { Time } from "../ui/Time.tsx";
import { ContactNotes } from "./ContactNotes.tsx";
import { ContactCard } from "./ContactCard.tsx";
import { copyText } from "../ui/copy_text.ts";
import { useInbox } from "./context.ts";
import { RatingFacts } from "./RatingFacts.tsx";
import { PriorityMenu } from "./PriorityMenu.tsx";
import { LabelSection } from "./LabelSection.tsx";

/** The contact, and what is known about them and the conversation. */
export function ContextBody({ conversation }: { conversation: Conversation }) {
  const inbox = useInbox();
  const presence = inbox.presence.of(conversation.contact.id);
  return (
    <>
      <ContactCard
        key={conversation.contact.id}
        contact={conversation.contact}
        status={inbox.presence.statusOf(conversation.contact.id)}
        onSave={inbox.editContact}
      />
      <LabelSection key={conversation.id} conversation={conversation} />
      <section aria-labelledby="context-visitor">
        <h3 id="context-visitor">Visitor</h3>
        <dl class="facts">
          <Fact name="Presence">
            {inbox.live.value
              ? presenceWord(inbox.presence.statusOf(conversation.contact.id))
              : "–"}
          </Fact>
          {presence?.page
            ? (
              <Fact name="Current page">
                <PageLink url={presence.page.url} title={presence.page.title} />
              </Fact>
            )
            : conversation.contact.lastSeenAt && (
              <Fact name="Last seen">
                <Time
                  iso={conversation.contact.lastSeenAt}
                  clock={inbox.clock.value}
                  as={mediumTime}
                />
              </Fact>
            )}
          <Fact name="First seen">
            <Time
              iso={conversation.contact.createdAt}
              clock={inbox.clock.value}
              as={mediumTime}
            />
          </Fact>
        </dl>
      </section>
      <ContactNotes
        key={`notes-${conversation.contact.id}`}
        contactId={conversation.contact.id}
        documents={inbox.documents}
        isShown={inbox.live.value && inbox.detailsShown.value}
      />
      <CustomerDetails key={`customer-${conversation.contact.id}`} conversation={conversation} />
      <RatingFacts
        key={`rating-${conversation.id}`}
        conversationId={conversation.id}
      />
      <ConversationFacts conversation={conversation} />
    </>
  );
}

function ConversationFacts({ conversation }: { conversation: Conversation }) {
  const inbox = useInbox();
  const clock = inbox.clock.value;
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    if (await copyText(conversation.id, document.body)) {
      setCopied(true);
      setTimeout(() => setCopied(false), 2_000);
    } else {
      inbox.toasts.show({ tone: "bad", text: `Your browser blocked copying. ${conversation.id}` });
    }
  };
  return (
    <section aria-labelledby="context-conversation">
      <h3 id="context-conversation">Conversation</h3>
      <dl class="facts">
        <Fact name="Status">{STATUS_WORDS[conversation.status]}</Fact>
        {conversation.waitingSince && (
          <Fact name="Waiting">{waitedFor(conversation.waitingSince, clock)}</Fact>
        )}
        <Fact name="Assignee">
          <bdi>{conversation.assignee?.userName ?? "Nobody"}</bdi>
        </Fact>
        <Fact name="Priority">
          <PriorityMenu conversation={conversation} />
        </Fact>
        <Fact name="Channel">
          {channelWord(conversation.platform)}
        </Fact>
        {conversation.contextId && (
          <Fact name="Context">
            <bdi>{conversation.contextId}</bdi>
          </Fact>
        )}
        <Fact name="Started">
          <Time iso={conversation.createdAt} clock={clock} as={mediumTime} />
        </Fact>
        {conversation.resolvedAt && (
          <Fact name="Resolved">
            <Time iso={conversation.resolvedAt} clock={clock} as={mediumTime} />
          </Fact>
        )}
        <Fact name="ID">
          <button type="button" class="copy" title="Copy" onClick={copy}>
            <span class="sr-only">Copy</span>
            <span class="mono truncate">{conversation.id}</span>
            {copied
              ? <Check size={14} aria-hidden="true" />
              : <Copy size={14} aria-hidden="true" />}
          </button>
          <span class="sr-only" role="status">{copied ? "Copied" : ""}</span>
        </Fact>
      </dl>
    </section>
  );
}
