/** What can be done in the inbox: with the open or the selected conversations, in the composer, in the list. */
import {
  AlarmClock,
  ArrowDown,
  ArrowUp,
  ArrowUpDown,
  AtSign,
  Bookmark,
  CalendarClock,
  Check,
  CheckCheck,
  CircleDashed,
  Clock,
  ListFilter,
  Lock,
  MailOpen,
  MessageSquareText,
  Mic,
  PanelRight,
  Paperclip,
  Reply,
  RotateCcw,
  Rows3,
  Search,
  Smile,
  Square,
  SquareCheck,
  Tag,
  UserMinus,
  UserPlus,
  UserRound,
  Users,
  UsersRound,
} from "lucide-preact";
import type { CannedResponse } from "../../protocol/canned_responses.ts";
import type { Conversation } from "../../protocol/model.ts";
import { snoozeChoices } from "../format/snooze.ts";
import { shortTime } from "../format/time.ts";
import { compose } from "../inbox/compose.ts";
import { PRIORITIES } from "../inbox/priorities.tsx";
import { moveInList } from "../inbox/use_roving_rows.ts";
import { DEFAULT_FILTER, listFilter } from "../live/list_state.ts";
import type { InboxModel } from "../live/inbox_model.ts";
import { press } from "../shell/keys.ts";
import type { Command } from "./commands.ts";

type More = Partial<Omit<Command, "title" | "run">>;

function grouped(group: string) {
  return (title: string, Icon: Command["Icon"], run: () => void, more: More = {}): Command => ({
    id: `${group} ${title}`,
    group,
    title,
    Icon,
    run,
    ...more,
  });
}

/** @param canned the agent's canned replies; null: not known yet */
export function inboxCommands(
  inbox: InboxModel,
  canned: readonly CannedResponse[] | null,
): Command[] {
  const some = inbox.bulk.selected.value.length;
  const conversation = inbox.selected.value;
  return [
    ...(some > 0 ? selectionCommands(inbox, some) : []),
    ...(conversation !== null
      ? [
        ...conversationCommands(inbox, conversation),
        ...labelCommands(inbox, conversation),
        ...composerCommands(),
        ...cannedCommands(canned ?? []),
      ]
      : []),
    ...listCommands(inbox),
  ];
}

function people(inbox: InboxModel) {
  const others = inbox.users.value.filter(({ id, disabledAt }) =>
    disabledAt === null && id !== inbox.user.id
  );
  return [inbox.user, ...others];
}

function selectionCommands(inbox: InboxModel, count: number): Command[] {
  const { bulk } = inbox;
  const make = grouped(`${count} selected`);
  return [
    make("Resolve all selected", Check, bulk.resolve, { keys: "E" }),
    ...snoozeChoices(new Date()).map(({ label, until }) =>
      make(`Snooze all selected: ${label.toLowerCase()}`, AlarmClock, () => bulk.snooze(until), {
        isDeep: true,
      })
    ),
    ...people(inbox).map((user) =>
      make(`Assign all selected to ${user.name}`, UserPlus, () => void bulk.assign(user), {
        isDeep: user.id !== inbox.user.id,
      })
    ),
    ...inbox.teams.value.map((team) =>
      make(`Give all selected to the team ${team.name}`, Users, () => void bulk.giveToTeam(team), {
        isDeep: true,
      })
    ),
    ...inbox.labels.all.value.map((label) =>
      make(`Label all selected: ${label.name}`, Tag, () => void bulk.label(label, false), {
        isDeep: true,
      })
    ),
    make("Mark all selected as read", MailOpen, () => void bulk.mark("read")),
    make("Mark all selected as unread", MailOpen, () => void bulk.mark("unread"), { keys: "U" }),
    make("Clear the selection", Square, bulk.clear, { keys: "Esc" }),
  ];
}

function conversationCommands(inbox: InboxModel, conversation: Conversation): Command[] {
  const make = grouped("This conversation");
  const { id, status, assignee, priority = "none" } = conversation;
  const isOpen = status === "open" || status === "pending";
  const clock = inbox.clock.value;
  const set = (to: Conversation["status"]) => () => void inbox.setStatus(id, to);
  return [
    isOpen
      ? make("Resolve", Check, set("resolved"), { keys: "E", words: "close done" })
      : make("Reopen", RotateCcw, set("open"), { keys: "E" }),
    ...(status === "open"
      ? [make("Mark as pending", CircleDashed, set("pending"), { isDeep: true })]
      : status === "pending"
      ? [make("Mark as open", RotateCcw, set("open"), { isDeep: true })]
      : []),
    ...snoozeChoices(new Date()).map(({ label, until }) =>
      make(`Snooze: ${label.toLowerCase()}`, AlarmClock, () => void inbox.snooze(id, until), {
        words: until === null ? "" : shortTime(until.toISOString(), clock),
        isDeep: label !== "Tomorrow",
      })
    ),
    make("Snooze: pick a date and time", CalendarClock, () => {
      inbox.snoozePicker.value = (until) => void inbox.snooze(id, until);
    }, { keys: "S", isDeep: true }),
    ...people(inbox).filter((user) => user.id !== assignee?.userId).map((user) => {
      const isMe = user.id === inbox.user.id;
      const title = isMe ? "Assign to me" : `Assign to ${user.name}`;
      return make(title, UserPlus, () => void inbox.assign(id, user), {
        keys: isMe ? "A" : undefined,
        words: isMe ? user.name : "",
        isDeep: !isMe,
      });
    }),
    ...inbox.teams.value.filter((team) => team.id !== conversation.teamId).map((team) =>
      make(`Give to the team ${team.name}`, Users, () => void inbox.giveToTeam(id, team), {
        words: "assign",
        isDeep: true,
      })
    ),
    ...(conversation.teamId === undefined
      ? []
      : [make("Take out of the team", UserMinus, () => void inbox.giveToTeam(id, null), {
        isDeep: true,
      })]),
    ...(assignee === null
      ? []
      : [make("Unassign", UserMinus, () => void inbox.assign(id, null), { isDeep: true })]),
    ...PRIORITIES.filter(({ value }) => value !== priority).map(({ value, label }) =>
      make(`Priority: ${label.toLowerCase()}`, ArrowUp, () => void inbox.setPriority(id, value), {
        isDeep: true,
      })
    ),
    make("Find in this conversation", Search, () => inbox.finding.value = true, {
      keys: "Shift F",
      words: "search",
    }),
    make("Mark as unread", MailOpen, () => void inbox.markUnread(id), { keys: "U" }),
    make(
      inbox.detailsShown.value ? "Hide details" : "Show details",
      PanelRight,
      inbox.toggleDetails,
      { keys: "I", words: "customer contact" },
    ),
  ];
}

function labelCommands(inbox: InboxModel, conversation: Conversation): Command[] {
  const make = grouped("Labels");
  const own = new Set(inbox.labels.of(conversation).map(({ id }) => id));
  return [
    make("Add or remove labels", Tag, inbox.openLabels, { keys: "L", words: "tags" }),
    ...inbox.labels.all.value.map(({ id, name }) =>
      make(
        own.has(id) ? `Remove the label “${name}”` : `Label: ${name}`,
        Tag,
        () => inbox.labels.toggle(conversation, id),
        { isDeep: true, words: "tag" },
      )
    ),
  ];
}

function composerCommands(): Command[] {
  const make = grouped("Writing");
  const button = (title: string, Icon: Command["Icon"], keys: string, more: More = {}) =>
    make(title, Icon, () => press(keys, ".composer"), { keys, isDeep: true, ...more });
  return [
    make("Reply", Reply, () => compose("R"), { keys: "R" }),
    make("Private note", Lock, () => compose("N"), { keys: "N" }),
    button("Insert a canned reply", MessageSquareText, "C", { words: "macro", isDeep: false }),
    button("Emoji", Smile, "M"),
    button("Attach files", Paperclip, "O", { words: "upload picture image" }),
    button("Record a voice message", Mic, "V"),
    button("Send later", Clock, "T", { words: "schedule" }),
    button("Write together", UsersRound, "W", { words: "share" }),
  ];
}

/** Each is put into the composer as if its name was typed there and chosen. */
function cannedCommands(canned: readonly CannedResponse[]): Command[] {
  const make = grouped("Canned replies");
  return canned.map(({ id, shortCode, content }) =>
    make(`/${shortCode}`, MessageSquareText, () => typeCanned(shortCode), {
      id: `canned ${id}`,
      words: `canned reply macro ${content.slice(0, 200)}`,
      isDeep: true,
    })
  );
}

function typeCanned(shortCode: string) {
  if (!press("C", ".composer")) return;
  // The button has put "/" before the caret, and the list opens by what follows.
  requestAnimationFrame(() =>
    requestAnimationFrame(() => document.execCommand("insertText", false, shortCode))
  );
}

function listCommands(inbox: InboxModel): Command[] {
  const make = grouped("The list");
  const { filter } = inbox.list;
  const view = (title: string, value: typeof filter.value.view, keys: string) =>
    make(title, ListFilter, () => inbox.setFilter({ ...filter.value, view: value }), {
      keys,
      words: "view conversations",
    });
  const status = (title: string, value: typeof filter.value.status) =>
    make(title, ListFilter, () => inbox.setFilter({ ...filter.value, status: value }), {
      words: "status filter",
      isDeep: true,
    });
  const sort = (title: string, value: "newest" | "waiting" | "priority") =>
    make(title, ArrowUpDown, () => inbox.setFilter({ ...filter.value, sort: value }), {
      words: "order",
      isDeep: true,
    });
  return [
    make("Next conversation", ArrowDown, () => moveInList(1, inbox.neighbour(1)), { keys: "J" }),
    make("Previous conversation", ArrowUp, () => moveInList(-1, inbox.neighbour(-1)), {
      keys: "K",
    }),
    view("Show mine", "mine", "1"),
    view("Show unassigned", "unassigned", "2"),
    view("Show all", "all", "3"),
    make("Show where I am mentioned", AtSign, () => {
      inbox.setFilter({ ...DEFAULT_FILTER, view: "mentions" });
    }, { words: "view mentions" }),
    ...inbox.views.all.value.map((one) =>
      make(`Show the view “${one.name}”`, Bookmark, () => {
        inbox.setFilter(listFilter(one.filter));
      }, { id: `view ${one.id}`, isDeep: true })
    ),
    make("Filter the list", ListFilter, () => inbox.views.task.value = { kind: "filter" }, {
      keys: "F",
    }),
    make("Save the filter as a view", Bookmark, () => {
      inbox.views.task.value = { kind: "save", view: null };
    }, { isDeep: true }),
    status("Show open", "open"),
    status("Show pending", "pending"),
    status("Show snoozed", "snoozed"),
    status("Show resolved", "resolved"),
    status("Show any status", "all"),
    sort("Sort by newest", "newest"),
    sort("Sort by longest waiting", "waiting"),
    sort("Sort by priority", "priority"),
    ...inbox.labels.all.value.map(({ id, name }) =>
      make(`Show the label “${name}”`, Tag, () => {
        inbox.setFilter({ ...filter.value, label: id });
      }, { words: "filter", isDeep: true })
    ),
    ...inbox.teams.value.map(({ id, name }) =>
      make(`Show the team ${name}`, ListFilter, () => {
        inbox.setFilter({ ...filter.value, team: id });
      }, { words: "filter", isDeep: true })
    ),
    make("Rows: comfortable", Rows3, () => inbox.setDensity("comfortable"), {
      words: "density",
      isDeep: true,
    }),
    make("Rows: compact", Rows3, () => inbox.setDensity("compact"), {
      words: "density",
      isDeep: true,
    }),
    make("Select all in the list", SquareCheck, inbox.bulk.all, { isDeep: true }),
    make("Mark everything as read", CheckCheck, () => void inbox.markAllRead(), {
      keys: "Shift U",
      isDeep: true,
    }),
    make("Search in everything", UserRound, () => press("/"), { keys: "/", isDeep: true }),
  ];
}
