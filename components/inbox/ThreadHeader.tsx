import { ArrowLeft, PanelRight } from "lucide-preact";
import type { Conversation } from "../../protocol/model.ts";
import { contactName, STATUS_WORDS, titleOf } from "../format/names.ts";
import { type Clock, shortTime } from "../format/time.ts";
import { Avatar, presenceWord } from "../ui/Avatar.tsx";
import { IconButton } from "../ui/Button.tsx";
import { AssigneeMenu } from "./AssigneeMenu.tsx";
import { useInbox } from "./context.ts";
import { Viewers } from "./Viewers.tsx";
import { StatusButton } from "./StatusButton.tsx";

export function ThreadHeader() {
  const inbox = useInbox();
  const conversation = inbox.selected.value;
  return (
    <header class="thread-head">
      <span class="only-phone">
        <IconButton label="Back to the list" tipAt="end" onClick={inbox.back}>
          <ArrowLeft size={18} />
        </IconButton>
      </span>
      {conversation && <Who conversation={conversation} />}
      <div class="thread-actions">
        <Viewers />
        {conversation && (
          <>
            <AssigneeMenu conversation={conversation} />
            <StatusButton conversation={conversation} />
          </>
        )}
        <IconButton
          label={inbox.detailsShown.value ? "Hide details" : "Show details"}
          shortcut="I"
          tipAt="start"
          aria-pressed={inbox.detailsShown.value ? "true" : "false"}
          aria-controls="details"
          onClick={inbox.toggleDetails}
        >
          <PanelRight size={16} />
        </IconButton>
      </div>
    </header>
  );
}

/** "Open", "Snoozed until Tue, 09:00". */
function statusText({ status, snoozedUntil }: Conversation, clock: Clock): string {
  const word = STATUS_WORDS[status];
  if (snoozedUntil === undefined) return word;
  return `${word} until ${
    snoozedUntil === null ? "the next reply" : shortTime(snoozedUntil, clock)
  }`;
}

function Who({ conversation }: { conversation: Conversation }) {
  const inbox = useInbox();
  const { contact } = conversation;
  const status = inbox.presence.statusOf(contact.id);
  const team = inbox.teamOf(conversation);
  return (
    <div class="thread-who">
      <Avatar id={contact.id} name={contactName(contact)} size="m" presence={status} />
      <div>
        <h2 class="truncate" dir="auto">{titleOf(conversation)}</h2>
        <p class="truncate">
          <span data-status={conversation.status} class="thread-status">
            {statusText(conversation, inbox.clock.value)}
          </span>
          {inbox.live.value && ` · ${presenceWord(status)}`}
          {team && conversation.assignee && (
            <>
              {" · "}
              <bdi>{team.name}</bdi>
            </>
          )}
        </p>
      </div>
    </div>
  );
}
