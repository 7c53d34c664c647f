import { computed, effect, signal, untracked } from "@preact/signals";
import type { MacroActions } from "../../protocol/canned_responses.ts";
import type { Draft } from "../../protocol/drafts.ts";
import type { Conversation, Label, Message, User } from "../../protocol/model.ts";
import type { ConversationList } from "../../protocol/rest.ts";
import type { Team } from "../../protocol/teams.ts";
import type { SavedView } from "../../protocol/views.ts";
import type { ParleyClient, PendingMessage } from "../../client/mod.ts";
import type { ListFilter, Row } from "./list_state.ts";
import { namesOf, titleOf } from "../format/names.ts";
import { type Density, densityCookie, writeCookie } from "../storage/preferences.ts";
import { createAttention } from "./attention.ts";
import { createDocuments } from "./documents_model.ts";
import { createDraft } from "./draft_model.ts";
import { createDrafts } from "./drafts_model.ts";
import { createHeldSends } from "./held_sends.ts";
import { createFilesModel, textKey } from "./files_model.ts";
import { createActions } from "./inbox_actions.ts";
import { createNavigation } from "./inbox_navigation.ts";
import { createMessageActions } from "./message_actions.ts";
import { createLabels } from "./labels_model.ts";
import { createBulk } from "./bulk_model.ts";
import { createCounts } from "./counts_model.ts";
import { createListModel } from "./list_model.ts";
import { createScheduled } from "./scheduled_model.ts";
import { createSearch } from "./search_model.ts";
import { createViews } from "./views_model.ts";
import { createUnsent } from "./unsent_model.ts";
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
  /** The open conversation, if it was marked as unread while it was open. */
  let keptUnread: string | null = null;
  const navigation = createNavigation(
    { selectedId: start.selected?.id ?? null, contextOpen: start.contextOpen },
    list,
    (id) => {
      keptUnread = null;
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
  const files = createFilesModel({
    client: workspace.client,
    token: workspace.token,
    notify: (text) => void workspace.toasts.show({ tone: "bad", text }),
  });
  const drafts = createDrafts(start.drafts, {
    userId: user.id,
    request: workspace.request,
    fail: workspace.fail,
  });
  const unsent = createUnsent();
  const scheduled = createScheduled(workspace);
  const held = createHeldSends({
    userId: user.id,
    client: workspace.client,
    request: workspace.request,
    giveBack({ conversationId, content, files: sent }) {
      drafts.prepend(conversationId, "reply", content);
      void files.putBack(textKey(conversationId, false), sent);
    },
    sent: ({ conversationId, macro }) => void runMacro(conversationId, macro),
  });
  /** Does what a macro says as soon as its text is stored. */
  async function runMacro(conversationId: string, macro: MacroActions | null): Promise<void> {
    if (macro === null) return;
    try {
      const { applyMacro } = await import("../inbox/suggestions/macro.ts");
      await applyMacro({ ...workspace, labels, users, teams, list }, conversationId, macro);
    } catch (error) {
      workspace.fail(error);
    }
  }
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
  /** The people who can be assigned, as of the last request. */
  const users = signal<readonly User[]>(start.users);
  const teams = signal<readonly Team[]>(start.teams);
  async function refreshUsers(): Promise<void> {
    const [people, all] = await Promise.all([
      workspace.request<{ items: User[] }>("/api/users"),
      workspace.request<{ items: Team[] }>("/api/teams"),
    ]);
    users.value = people.items;
    teams.value = all.items;
  }
  /** Conversations of teams that are new here; each is looked for once. */
  const missed = new Set<string>();
  function meetTeam({ teamId }: Conversation) {
    if (teamId === undefined || missed.has(teamId)) return;
    if (teams.value.some(({ id }) => id === teamId)) return;
    missed.add(teamId);
    refreshUsers().catch(() => missed.delete(teamId));
  }
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

  /** The conversation that is open in a visible tab counts as read. */
  function markSeen() {
    const id = selectedId.value;
    const store = thread.store();
    if (id === null || store === null || store.id !== id) return;
    if (document.visibilityState !== "visible" || thread.snapshot.value.status !== "ready") return;
    if (id === keptUnread) return;
    store.markRead();
    if (list.unreadOf(id) === 0) return;
    list.setUnread(id, 0);
    // Of a mark the store knows nothing: it has read to the end already.
    const { pointers, conversation } = thread.snapshot.value;
    const seq = conversation?.lastSeq ?? 0;
    if (pointers.agentReadSeq < seq) return;
    workspace.request(`/api/conversations/${id}/read`, { method: "POST", body: { seq } })
      .catch(() => {});
  }

  /** Until it is opened again. */
  async function markUnread(id: string) {
    // Before the request: its event comes first, and the open conversation would be read at once.
    if (id === selectedId.value) keptUnread = id;
    try {
      const body = { ids: [id] };
      await workspace.request("/api/conversations/unread", { method: "POST", body });
    } catch (error) {
      keptUnread = null;
      return workspace.fail(error);
    }
    if (list.unreadOf(id) === 0) list.setUnread(id, 1);
    workspace.toasts.show({ tone: "good", text: "Marked as unread." });
  }

  async function markAllRead() {
    try {
      await workspace.request("/api/conversations/read", { method: "POST", body: { all: true } });
    } catch (error) {
      return workspace.fail(error);
    }
    workspace.toasts.show({ tone: "good", text: "Everything is marked as read." });
    await list.reload();
  }

  function listen(own: ParleyClient): (() => void)[] {
    return [
      own.on("identity", (identity) => {
        // Rows are not replayed: changes during an absence have to be requested.
        list.reload();
        if (identity.totalUnread !== undefined) list.setTotalUnread(identity.totalUnread);
      }),
      own.on("conversation", ({ conversation }) => {
        list.receive(conversation);
        meetTeam(conversation);
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
    document.addEventListener("visibilitychange", markSeen);
    const ends = [
      ...listen(own),
      attention.begin(),
      documents.begin(own),
      ...drafts.listen(own),
      held.begin(),
      ...unsent.listen(own),
      ...scheduled.listen(own),
      labels.follow(own),
      counting.follow(own),
      workspace.clock.subscribe(() => list.tick()),
      navigation.begin(),
      () => document.removeEventListener("visibilitychange", markSeen),
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
          scheduled.follow(id);
        });
      }),
      effect(() => thread.setJoined(isPresent.value)),
      effect(() => {
        // Subscribes to both signals: markSeen may return before it reads them.
        void thread.snapshot.value;
        void selectedRow.value;
        markSeen();
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
    files,
    users,
    refreshUsers,
    teams,
    views,
    /** undefined: none, or one that was deleted. */
    teamOf: ({ teamId }: Conversation) => teams.value.find(({ id }) => id === teamId),
    list,
    counts: counting.counts,
    density,
    setDensity,
    bulk,
    thread,
    documents,
    draft,
    drafts,
    held,
    runMacro,
    scheduled,
    /** What the server refused, by conversation. */
    unsent: unsent.unsent,
    /** Puts a message that could not be sent back into the composer. */
    editAgain({ content, isPrivate, files: sent, replyToId }: PendingMessage) {
      const id = selectedId.value;
      if (id === null) return;
      drafts.prepend(id, isPrivate ? "note" : "reply", content);
      void files.putBack(textKey(id, isPrivate), sent);
      messages.giveReplyBack({ replyToId });
    },
    search,
    labels,
    openLabels,
    leaveDeleted,
    markUnread,
    markAllRead,
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
      await drafts.flush();
      await workspace.signOut();
    },
    begin: () => workspace.begin(attach),
  };
}
