import { useComputed } from "@preact/signals";
import { AlarmClock, Clock3, StickyNote, Users } from "lucide-preact";
import type { Conversation, Label } from "../../protocol/model.ts";
import { type Row, unreadOf } from "../live/list_state.ts";
import { type Clock, shortAge, shortTime, waitedFor } from "../format/time.ts";
import { contactName, STATUS_WORDS, titleOf } from "../format/names.ts";
import { Avatar } from "../ui/Avatar.tsx";
import { Badge, CountBadge } from "../ui/Badge.tsx";
import { Time } from "../ui/Time.tsx";
import { LabelDot } from "../ui/LabelChip.tsx";
import { useInbox } from "./context.ts";
import { isolate } from "../../protocol/visible_text.ts";
import { PriorityIcon, priorityWord } from "./priorities.tsx";

interface ConversationRowProps {
  row: Row;
  /** Whether this row is the list's only tab stop. */
  tabbable: boolean;
}

/**
 * An event replaces the object of one row only, and a component that reads signals renders again
 * only when its props changed: an event costs one row.
 */
export function ConversationRow({ row, tabbable }: ConversationRowProps) {
  const inbox = useInbox();
  const { conversation } = row;
  const { id, contact, assignee, waitingSince, snoozedUntil } = conversation;
  const clock = inbox.clock.value;
  const selected = inbox.selectedId.value === id;
  const unread = unreadOf(row);
  const labels = inbox.labels.of(conversation);
  const team = inbox.teamOf(conversation);
  const { bulk } = inbox;
  const isChosen = bulk.chosen.value.has(id);
  const open = (event: MouseEvent) => {
    if (event.shiftKey && event.button === 0) {
      event.preventDefault();
      return bulk.extend(id);
    }
    if (event.metaKey || event.ctrlKey || event.button !== 0) return;
    event.preventDefault();
    // With the pointer the composer gets the focus; with the keyboard it stays in the list.
    if (event.detail > 0) (document.activeElement as HTMLElement | null)?.blur();
    inbox.select(id);
  };
  return (
    <li class="row-item" data-chosen={isChosen ? "" : undefined}>
      {/* By keyboard X does the same. */}
      <input
        type="checkbox"
        class="row-check"
        aria-label={`Select ${titleOf(conversation)}`}
        checked={isChosen}
        tabIndex={-1}
        onClick={(event) => {
          if (event.shiftKey) bulk.extend(id);
          else bulk.toggle(id);
        }}
      />
      <a
        class="row"
        href={inbox.pathOf(id)}
        data-row={id}
        data-unread={unread > 0 ? "" : undefined}
        aria-current={selected ? "true" : undefined}
        tabIndex={tabbable ? 0 : -1}
        onClick={open}
      >
        <Avatar
          id={contact.id}
          name={contactName(contact)}
          presence={inbox.presence.statusOf(contact.id)}
        />
        <span class="row-body">
          <span class="row-top">
            <span class="row-name truncate" dir="auto">{titleOf(conversation)}</span>
            {conversation.priority && (
              <span class="row-priority" title={`Priority: ${priorityWord(conversation.priority)}`}>
                <PriorityIcon priority={conversation.priority} />
                <span class="sr-only">{priorityWord(conversation.priority)} priority</span>
              </span>
            )}
            <Time iso={conversation.lastActivityAt} clock={clock} as={shortAge} />
          </span>
          <span class="row-middle">
            <Preview conversation={conversation} />
            <CountBadge count={unread} noun="unread" />
          </span>
          {(waitingSince || snoozedUntil || assignee || team || labels.length > 0 ||
            inbox.list.filter.value.status === "all") && (
            <span class="row-meta">
              {inbox.list.filter.value.status === "all" && (
                <Badge tone={conversation.status === "open" ? "good" : "plain"}>
                  {STATUS_WORDS[conversation.status]}
                </Badge>
              )}
              {snoozedUntil && (
                <span class="row-waiting">
                  <AlarmClock size={12} aria-hidden="true" />
                  <span class="sr-only">Snoozed until</span> {shortTime(snoozedUntil, clock)}
                </span>
              )}
              {waitingSince && !snoozedUntil && (
                <span class="row-waiting" data-long={isLong(waitingSince, clock) ? "" : undefined}>
                  <Clock3 size={12} aria-hidden="true" />
                  <span class="sr-only">Waiting</span> {waitedFor(waitingSince, clock)}
                </span>
              )}
              <RowLabels labels={labels} />
              {team && (
                <span class="row-label">
                  <Users size={12} aria-hidden="true" />
                  <span class="truncate">
                    <span class="sr-only">Team</span> <bdi>{team.name}</bdi>
                  </span>
                </span>
              )}
              {assignee && (
                <span class="row-assignee truncate">
                  <Avatar id={assignee.userId} name={assignee.userName} size="s" shape="team" />
                  <span class="truncate">
                    <span class="sr-only">Assigned to</span>{" "}
                    <bdi>{assignee.userId === inbox.user.id ? "You" : assignee.userName}</bdi>
                  </span>
                </span>
              )}
            </span>
          )}
        </span>
      </a>
    </li>
  );
}

/** Labels shown in a row; of the rest it shows the number. */
const SHOWN_LABELS = 2;

function RowLabels({ labels }: { labels: Label[] }) {
  if (labels.length === 0) return null;
  const more = labels.slice(SHOWN_LABELS);
  return (
    <span class="row-labels" title={labels.map(({ name }) => isolate(name)).join(", ")}>
      <span class="sr-only">Labels</span>
      {labels.slice(0, SHOWN_LABELS).map(({ id, name, color }) => (
        <span key={id} class="row-label">
          <LabelDot color={color} />
          <span class="truncate" dir="auto">{name}</span>
        </span>
      ))}
      {more.length > 0 && (
        <span class="row-more">
          +{more.length}
          <span class="sr-only">more</span>
        </span>
      )}
    </span>
  );
}

/** A wait of ten minutes is emphasized. */
function isLong(since: string, clock: Clock): boolean {
  return clock.now - Date.parse(since) >= 10 * 60_000;
}

function Preview({ conversation }: { conversation: Conversation }) {
  const { user, drafts, selectedId, unsent } = useInbox();
  const { id, lastMessage: last } = conversation;
  // In the open conversation the composer shows it.
  const draft = useComputed(() => selectedId.value === id ? null : drafts.preview(id)).value;
  const refused = useComputed(() => unsent.value.get(id) ?? null).value;
  if (refused !== null) {
    return (
      <span class="row-preview">
        <span class="row-unsent">Not sent:</span> <span dir="auto">{refused}</span>
      </span>
    );
  }
  if (draft !== null) {
    return (
      <span class="row-preview">
        <span class="row-draft">Draft:</span> <span dir="auto">{draft}</span>
      </span>
    );
  }
  if (last === null) return <span class="row-preview">No messages yet</span>;
  const author = last.userId === user.id ? "You:" : `${isolate(last.userName)}:`;
  const own = last.role === "visitor" || last.role === "system" ? null : author;
  return (
    <span class="row-preview">
      {last.isPrivate
        ? (
          <span class="row-note">
            <StickyNote size={12} aria-hidden="true" /> Note:
          </span>
        )
        : own && <span class="row-own">{own}</span>}{" "}
      <bdi>{last.preview || "Message withdrawn"}</bdi>
    </span>
  );
}
