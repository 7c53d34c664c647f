import { X } from "lucide-preact";
import { channelWord } from "../../format/names.ts";
import type { ListFilter } from "../../live/list_state.ts";
import { Button } from "../../ui/Button.tsx";
import { useInbox } from "../context.ts";

/** What the list is limited to besides what its buttons show, and a button that ends it. */
export default function Conditions({ filter, rest }: {
  filter: Omit<ListFilter, "view" | "status">;
  /** The filter without it. */
  rest: ListFilter;
}) {
  const inbox = useInbox();
  const { team, assignee, channel, widget, unread, waitingMinutes, q } = filter;
  const named = (some: readonly { id: string; name: string }[], id: string) =>
    some.find((one) => one.id === id)?.name ?? "somebody";
  const words = [
    q && `“${q}”`,
    assignee && `of ${named(inbox.users.value, assignee)}`,
    team && `team ${named(inbox.teams.value, team)}`,
    channel && channelWord(channel),
    widget && "one widget",
    waitingMinutes && `waiting ${waitingMinutes} min`,
    unread && "unread",
  ].filter(Boolean);
  return (
    <Button
      size="s"
      kind="quiet"
      icon={<X size={14} aria-hidden="true" />}
      onClick={() => inbox.setFilter(rest)}
    >
      <span class="sr-only">End the filter:</span>
      <span class="truncate" dir="auto">{words.join(" · ")}</span>
    </Button>
  );
}
