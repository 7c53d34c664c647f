import { computed, effect, signal, untracked } from "@preact/signals";
import type { Draft } from "../../protocol/drafts.ts";
import type { Conversation, Label, Message, User } from "../../protocol/model.ts";
import type { ConversationList } from "../../protocol/rest.ts";
import type { Team } from "../../protocol/teams.ts";
import type { SavedView } from "../../protocol/views.ts";
import type { ParleyClient } from "../../client/mod.ts";
import type { ListFilter, Row } from "./list_state.ts";
import { namesOf, titleOf } from "../format/names.ts";
import { type Density, densityCookie, writeCookie } from "../storage/preferences.ts";
import { createAttention } from "./attention.ts";
import { createDocuments } from "./documents_model.ts";
import { createDraft } from "./draft_model.ts";
import { createActions } from "./inbox_actions.ts";
import { createNavigation } from "./inbox_navigation.ts";
import { createMessageActions } from "./message_actions.ts";
import { createLabels } from "./labels_model.ts";
import { createBulk } from "./bulk_model.ts";
import { createCounts } from "./counts_model.ts";
import { createListModel } from "./list_model.ts";
import { createOutgoing } from "./outgoing_model.ts";
import { createReading } from "./reading_model.ts";
import { createSearch } from "./search_model.ts";
import { createViews } from "./views_model.ts";
import { createTeamDirectory } from "./team_directory.ts";
import { createThreadModel, type SeedThread } from "./thread_model.ts";
import { createWorkspace, type WorkspaceStart } from "./workspace_model.ts";
import { isolate } from "../../protocol/visible_text.ts";

/** What the server renders the page with. */
export interface InboxStart extends WorkspaceStart {
  users: User[];
  labels: Label[];
  teams: Team[];
  views: SavedView[];
  /** The ETag of the API's list of labels as the server rendered it. */
  labelsTag: string;
  /** The agent's own, the last changed first. */
  drafts: Draft[];
  list: ConversationList;
  /** The ETag of the API's response with this list. */
  listTag: string;
  filter: ListFilter;
  /** The conversation of the address; `seed` is null where it does not exist. */
  selected: { id: string; seed: SeedThread | null } | null;
  contextOpen: boolean;
  density: Density;
}

/** Characters of a new message that a screen reader announces. */
const ANNOUNCED = 200;

/** A message to scroll to once its conversation is loaded. */
export interface Target {
  conversationId: string;
  messageId: string;
  seq: number;
  /** The focus stays where it is. */
  keepsFocus?: boolean;
}

export type InboxModel = ReturnType<typeof createInbox>;

/**
 * The state of the whole inbox and all actions in it. Created in the same way on the server and in
 * the browser; `begin` starts it there and returns a function that ends it.
 */
export function createInbox(start: InboxStart) {
  const workspace = createWorkspace(start);
  const { user, announcement } = workspace;

  const attention = createAttention();
  const thread = createThreadModel(start.selected);
  const list = createListModel(start.list, start.filter, {
    userId: user.id,
    get: (path, ifNoneMatch) => workspace.request(path, { ifNoneMatch }),
  }, start.listTag);
  list.setTotalUnread(start.unread);
  if (start.selected?.seed) list.merge(start.selected.seed.conversation);
  /** The message that the pointer or the focus is on, and where its menu has room. */
  const activeMessage = signal<{ key: string; side: "top" | "bottom" } | null>(null);
  /** The text of which a canned reply is being made. */
  const cannedFrom = signal<string | null>(null);
  const messages = createMessageActions({
    userId: user.id,
    isAdmin: () => workspace.me.value.role === "admin",
    client: workspace.client,
    thread,
    fail: workspace.fail,
  });
  /** Messages of the open conversation that were not read when it was opened. */
  const openedUnread = signal(start.selected?.seed?.conversation.unread ?? 0);
  const actions = createActions(
    list,
    workspace,
    (path, body) => workspace.request(path, { method: "PATCH", body }),
    { openNext: (id) => navigation.openNext(id), select: (id) => navigation.select(id) },
  );
  const navigation = createNavigation(
    { selectedId: start.selected?.id ?? null, contextOpen: start.contextOpen },
    list,
    (id) => {
      reading.opened();
      messages.editing.value = messages.replyingTo.value = null;
      const client = workspace.client();
      // Before the conversation counts as read.
      openedUnread.value = id === null ? 0 : list.unreadOf(id);
      if (id === null || client === null) thread.close();
      else thread.open(client, id, null);
      // The focus may stay in the list, so the newly opened conversation is announced.
      const row = id === null ? undefined : list.rows.value.get(id);
      announcement.value = row === undefined
        ? ""
        : `Conversation with ${isolate(titleOf(row.conversation))}`;
    },
  );
  const bulk = createBulk(list, workspace);
  const counting = createCounts(list, workspace.request);
  const views = createViews(start.views, list, workspace);
  const density = signal(start.density);
  function setDensity(next: Density) {
    density.value = next;
    writeCookie(densityCookie(user.id), next);
  }
  const { selectedId } = navigation;
  const documents = createDocuments(user.id, workspace.fail);
  const draft = createDraft(documents);
  const directory = createTeamDirectory(start, workspace);
  const reading = createReading(workspace, { list, thread, selectedId });
  /** Whether colleagues see that this agent has the conversation open. */
  const isPresent = computed(() => attention.isHere.value || draft.joined.value);
  const labels = createLabels(start.labels, start.labelsTag, {
    request: workspace.request,
    merge: list.merge,
    removed(id) {
      const { label, ...rest } = list.filter.value;
      if (label === id) navigation.setFilter(rest);
    },
    fail: workspace.fail,
  });
  const outgoing = createOutgoing(start.drafts, {
    workspace,
    directory,
    labels,
    list,
    messages,
    selectedId,
  });
  /** Shows the details if they are hidden, and opens the menu of labels in them. */
  function openLabels() {
    if (!navigation.detailsShown.value) navigation.toggleDetails();
    labels.menuOpen.value = true;
  }
  /** Leaves a conversation that does not exist any more, and drops it from the list. */
  function leaveDeleted() {
    navigation.select(null);
    void list.reload();
  }
  const target = signal<Target | null>(null);
  /** Whether the open conversation is being searched. */
  const finding = signal(false);
  /** Set while somebody picks the end of a snooze; takes it. */
  const snoozePicker = signal<((until: Date) => void) | null>(null);
  /** Opens a conversation, and scrolls to a message in it. */
  function showMessage(conversationId: string, message?: { id: string; seq: number }) {
    target.value = message === undefined
      ? null
      : { conversationId, messageId: message.id, seq: message.seq };
    navigation.select(conversationId);
  }
  const search = createSearch({
    request: workspace.request,
    show: showMessage,
    announce: (words) => announcement.value = words,
    fail: workspace.fail,
  });
  workspace.notifications.attachTo({ shown: () => selectedId.value, open: navigation.select });

  const selectedRow = computed<Row | null>(() =>
    selectedId.value === null ? null : list.rows.value.get(selectedId.value) ?? null
  );
  const selected = computed<Conversation | null>(() => {
    if (selectedId.value === null) return null;
    if (selectedRow.value !== null) return selectedRow.value.conversation;
    const conversation = thread.snapshot.value.conversation;
    return conversation?.id === selectedId.value ? conversation : null;
  });

  function listen(own: ParleyClient): (() => void)[] {
    return [
      own.on("identity", (identity) => {
        // Rows are not replayed: changes during an absence have to be requested.
        list.reload();
        if (identity.totalUnread !== undefined) list.setTotalUnread(identity.totalUnread);
      }),
      own.on("conversation", ({ conversation }) => {
        list.receive(conversation);
        directory.meetTeam(conversation);
      }),
      own.on("unread", ({ conversationId, unread, totalUnread }) => {
        list.setUnread(conversationId, unread, totalUnread);
      }),
      own.on("message", ({ conversationId, sender, type, content }) => {
        if (conversationId !== selectedId.value || sender.userId === user.id) return;
        if (type === "text") {
          announcement.value = `${namesOf([sender])}: ${isolate(content.slice(0, ANNOUNCED))}`;
        }
      }),
    ];
  }

  /** The address of a link to a message, see `linkTo`. */
  function followLink() {
    const query = new URLSearchParams(location.search);
    const [messageId, seq] = [query.get("message"), Number(query.get("seq"))];
    const conversationId = selectedId.value;
    if (messageId === null || conversationId === null || !(seq > 0)) return;
    target.value = { conversationId, messageId, seq };
  }

  function attach(own: ParleyClient): (() => void)[] {
    followLink();
    document.addEventListener("visibilitychange", reading.markSeen);
    const ends = [
      ...listen(own),
      attention.begin(),
      documents.begin(own),
      ...outgoing.listen(own),
      labels.follow(own),
      counting.follow(own),
      workspace.clock.subscribe(() => list.tick()),
      navigation.begin(),
      () => document.removeEventListener("visibilitychange", reading.markSeen),
    ];
    // It was rendered while the connection was there: what has changed since is read once.
    if (own.state === "connected") void list.reload();
    if (start.selected?.seed) thread.open(own, start.selected.id, start.selected.seed);
    ends.push(
      effect(() => {
        const { status } = thread.snapshot.value;
        const id = status === "ready" && isPresent.value ? selectedId.value : null;
        untracked(() => {
          draft.follow(id);
          outgoing.scheduled.follow(id);
        });
      }),
      effect(() => thread.setJoined(isPresent.value)),
      effect(() => {
        // Subscribes to both signals: markSeen may return before it reads them.
        void thread.snapshot.value;
        void selectedRow.value;
        reading.markSeen();
      }),
      effect(() => {
        const count = list.totalUnread.value;
        const name = selected.value === null ? "Inbox" : isolate(titleOf(selected.value));
        document.title = `${count > 0 ? `(${count}) ` : ""}${name} · Parley`;
      }),
      thread.close,
      search.close,
    );
    return ends;
  }

  return {
    ...workspace,
    ...directory,
    ...outgoing,
    views,
    list,
    counts: counting.counts,
    density,
    setDensity,
    bulk,
    thread,
    documents,
    draft,
    search,
    labels,
    openLabels,
    leaveDeleted,
    markUnread: reading.markUnread,
    markAllRead: reading.markAllRead,
    target,
    showMessage,
    finding,
    snoozePicker,
    openedUnread,
    activeMessage,
    cannedFrom,
    messages,
    /** An address at which a message is shown. */
    linkTo: ({ conversationId, id, seq }: Message) =>
      `${location.origin}/conversations/${conversationId}?message=${id}&seq=${seq}`,
    selected,
    ...navigation,
    ...actions,
    async signOut() {
      await outgoing.drafts.flush();
      await workspace.signOut();
    },
    begin: () => workspace.begin(attach),
  };
}
