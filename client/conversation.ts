import type { Conversation, Message, MessageFile, Pointers } from "../protocol/model.ts";
import type { DurableEvents, DurableType, JoinResult } from "../protocol/native.ts";
import { NO_MEMBERS, withMember } from "./conversation_members.ts";
import { protect } from "./emitter.ts";
import { createFollower } from "./follow.ts";
import { newId } from "./outbox.ts";
import type { ParleyCore } from "./parley_core.ts";
import { createPointerSender } from "./pointer_sender.ts";
import { applyDurable, EMPTY_THREAD, furthest, NO_POINTERS, withMessage } from "./thread.ts";
import { createThreadItems } from "./thread_items.ts";
import type { ConnectionState, ConversationSnapshot, ServerEvent } from "./types.ts";
import { createTypingSender, createTypists } from "./typing.ts";

/** Messages in one page of history, and on the way to one that is far back. */
const PAGE = 50;
const LARGE_PAGE = 100;

/** The current state of one conversation. While open it follows the log, see `createFollower`. */
export class ConversationStore {
  readonly id: string;
  #client: ParleyCore;
  #follower: ReturnType<typeof createFollower>;
  #epoch: string | undefined;
  #thread = EMPTY_THREAD;
  #status: ConversationSnapshot["status"] = "loading";
  #error: ConversationSnapshot["error"];
  #members = NO_MEMBERS;
  #pointers = NO_POINTERS;
  #loadingOlder = false;
  #opened = 0;
  #items = createThreadItems();
  #snapshot: ConversationSnapshot | null = null;
  #notifying = false;
  #subscribers = new Set<(snapshot: ConversationSnapshot) => void>();
  #typists = createTypists(() => this.#changed());
  #typing = createTypingSender((isTyping, isPrivate) => {
    const note = isPrivate ? { isPrivate } : {};
    const data = { conversationId: this.id, isTyping, ...note };
    this.#client.request("typing", data, { patient: false }).catch(() => {});
  });
  #delivered: ReturnType<typeof createPointerSender>;
  #read: ReturnType<typeof createPointerSender>;

  /** Made by `client.conversation(id)`. */
  constructor(client: ParleyCore, id: string) {
    this.id = id;
    this.#client = client;
    this.#follower = createFollower(client, id, {
      event: (type, data) => this.#apply(type, data),
      joined: (answer) => this.#joined(answer),
      failed: ({ code, message }) => {
        this.#status = "error";
        this.#error = { code, message };
        this.#changed();
      },
    });
    const sender = (type: "read" | "delivered") =>
      createPointerSender((seq) => client.request(type, { conversationId: id, seq }));
    this.#delivered = sender("delivered");
    this.#read = sender("read");
  }

  /** The current state; the same object until something changes. */
  get snapshot(): ConversationSnapshot {
    return this.#snapshot ??= {
      status: this.#status,
      error: this.#error,
      conversation: this.#thread.conversation,
      items: this.#items.make(this.#thread.messages, this.#client.pending(this.id), this.#me()),
      hasOlder: this.#thread.hasOlder,
      loadingOlder: this.#loadingOlder,
      typing: this.#typists.list(),
      members: this.#members.list,
      memberCount: this.#members.count,
      pointers: this.#pointers,
    };
  }
  /** Whether it is open or has subscribers. */
  get inUse(): boolean {
    return this.#opened > 0 || this.#subscribers.size > 0;
  }

  /** Calls `fn` after changes, once for all changes of a turn; not for the initial state. */
  subscribe(fn: (snapshot: ConversationSnapshot) => void): () => void {
    this.#subscribers.add(fn);
    return () => void this.#subscribers.delete(fn);
  }

  /**
   * Joins, and joins again after each reconnection, until `close` was called as often as `open`.
   */
  open(): void {
    if (this.#opened++ === 0) this.#follower.start();
  }
  close(): void {
    if (this.#opened === 0 || --this.#opened > 0) return;
    this.#read.flush();
    this.#delivered.flush();
    this.#typists.clear();
    this.#follower.stop();
  }

  /**
   * Shows a first page that was loaded elsewhere; the join then asks only for what came after it.
   */
  seed(messages: Message[], hasMore: boolean, conversation: Conversation): void {
    // A store that already knows more keeps it.
    if (this.#status === "ready") return;
    // Not conversation.lastSeq: that may have been read after a message that the page lacks.
    this.#epoch = conversation.epoch;
    this.#follower.seek(this.#epoch, messages.at(-1)?.seq ?? 0);
    this.#thread = { messages, hasOlder: hasMore, conversation };
    this.#point(conversation.pointers);
    this.#status = "ready";
    this.#changed();
  }

  /** Sends through the outbox, see `ParleyClient.send`. */
  send(
    content: string,
    options: { isPrivate?: boolean; files?: MessageFile[]; replyToId?: string } = {},
  ): Promise<Message> {
    const clientMessageId = newId();
    this.#items.sent(clientMessageId);
    this.#typing.reset();
    return this.#client.send({ conversationId: this.id, content, clientMessageId, ...options });
  }
  retry(clientMessageId: string): void {
    this.#client.retry(clientMessageId);
  }
  discard(clientMessageId: string): void {
    this.#client.discard(clientMessageId);
  }

  /**
   * Loads the page before the first message, or all pages back to the message with `seq`; does
   * nothing where there is none.
   */
  async loadOlder(seq?: number): Promise<void> {
    const first = this.#thread.messages[0];
    if (this.#loadingOlder || !this.#thread.hasOlder || first === undefined) return;
    this.#loadingOlder = true;
    this.#changed();
    try {
      for (let at = first; this.#thread.hasOlder;) {
        const page = await this.#client.request("history", {
          conversationId: this.id,
          before: at.seq,
          limit: seq === undefined ? PAGE : LARGE_PAGE,
        });
        // A snapshot that arrived meanwhile begins elsewhere, so the page does not fit any more.
        if (this.#thread.messages[0]?.id !== at.id) break;
        const messages = [...page.messages, ...this.#thread.messages];
        this.#thread = { ...this.#thread, messages, hasOlder: page.hasMore };
        at = messages[0]!;
        if (seq === undefined || at.seq <= seq) break;
      }
    } finally {
      this.#loadingOlder = false;
      this.#changed();
    }
  }

  /**
   * Call it at each keystroke (true), and when the text is emptied or left (false). Only agents
   * learn of a note (`isPrivate`, agents only).
   */
  typing(isTyping: boolean, isPrivate = false): void {
    this.#typing.typing(isTyping, isPrivate);
  }
  /** This person has seen everything up to the newest event. */
  markRead(): void {
    this.#read.to(this.#follower.seq);
  }

  async editMessage(id: string, content: string): Promise<Message> {
    const data = { conversationId: this.id, messageId: id, content };
    const { message } = await this.#client.request("edit_message", data);
    this.stored(message);
    return message;
  }
  async deleteMessage(id: string): Promise<void> {
    await this.#client.request("delete_message", { conversationId: this.id, messageId: id });
  }

  /** @internal The connection is established or lost. While it is lost, nobody is known to type. */
  connection(state: ConnectionState): void {
    if (state !== "connected") {
      this.#read.pause();
      this.#delivered.pause();
      return this.#typists.clear();
    }
    this.#read.flush();
    this.#delivered.flush();
  }
  /** @internal The outbox changed. */
  pendingChanged(): void {
    this.#changed();
  }
  /** @internal The server has stored this message; its place in the log comes with the event. */
  stored(message: Message): void {
    const { id, clientMessageId } = message;
    if (clientMessageId && !this.#thread.messages.some((one) => one.id === id)) {
      this.#items.stored(id, clientMessageId);
    }
    // Older than the loaded window: loading history will bring it.
    const first = this.#thread.messages[0];
    if (this.#thread.hasOlder && first !== undefined && message.seq < first.seq) return;
    this.#thread = { ...this.#thread, messages: withMessage(this.#thread.messages, message) };
    this.#changed();
  }

  /** @internal An event of this conversation; durable events come from the follower. */
  receive({ type, data }: ServerEvent): void {
    switch (type) {
      case "conversation":
        this.#thread = { ...this.#thread, ...data };
        this.#point(data.conversation.pointers);
        break;
      case "message_status":
        this.#point(data.pointers);
        break;
      case "typing": {
        const { conversationId: _, isTyping, ...typist } = data;
        if (typist.userId !== this.#me()) this.#typists.set(typist, isTyping);
        return;
      }
      case "user_joined":
      case "user_left": {
        const { userId, userName, role } = data;
        const member = { userId, userName, role };
        const isHere = type === "user_joined";
        this.#members = withMember(this.#members, member, isHere);
        if (!isHere) this.#typists.set(member, false);
        break;
      }
      default:
        return;
    }
    this.#changed();
  }

  #me(): string | undefined {
    return this.#client.identity?.userId;
  }
  #point(moved: Partial<Pointers>) {
    this.#pointers = furthest(this.#pointers, moved);
  }

  #apply<T extends DurableType>(type: T, data: DurableEvents[T]) {
    this.#thread = applyDurable(this.#thread, type, data);
    this.#changed();
    if (type !== "message") return;
    const message = data as Message;
    // An author has read everything before their message; the server sends no event for that.
    const { seq, sender } = message;
    if (sender.role === "agent") this.#point({ agentReadSeq: seq, agentDeliveredSeq: seq });
    if (sender.role === "visitor") this.#point({ contactReadSeq: seq, contactDeliveredSeq: seq });
    if (sender.userId === this.#me()) {
      const { id, clientMessageId } = message;
      if (clientMessageId && this.#items.isKnown(clientMessageId)) {
        this.#items.stored(id, clientMessageId);
      }
    } else {
      this.#typists.set(sender, false);
      this.#delivered.to(seq);
    }
  }

  #joined(answer: JoinResult) {
    const { epoch, snapshot, conversation, members, memberCount, membersCursor } = answer;
    if (epoch !== this.#epoch) {
      this.#pointers = NO_POINTERS;
      this.#delivered.reset();
      this.#read.reset();
    }
    this.#epoch = epoch;
    this.#thread = { ...this.#thread, conversation };
    if (snapshot !== null) {
      const { messages, hasMore } = snapshot;
      this.#thread = { messages, hasOlder: hasMore, conversation };
      const theirs = messages.findLast((one) => one.sender.userId !== this.#me());
      if (theirs) this.#delivered.to(theirs.seq);
    }
    this.#members = { list: members, count: memberCount, isComplete: membersCursor === null };
    this.#point(conversation.pointers);
    this.#status = "ready";
    this.#error = undefined;
    this.#changed();
  }

  #changed() {
    this.#snapshot = null;
    if (this.#notifying) return;
    this.#notifying = true;
    queueMicrotask(() => {
      this.#notifying = false;
      for (const fn of [...this.#subscribers]) protect(() => fn(this.snapshot));
    });
  }
}
