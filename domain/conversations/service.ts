/** What people do with conversations, with their rights. HTTP and every socket protocol call this. */
import type { Db } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Conversation } from "../../protocol/model.ts";
import type { EventBus } from "../events.ts";
import { audienceOf, type Caller, needScope } from "../principal.ts";
import { KeyedLimiter } from "../rate_limit.ts";
import { findUser } from "../agents/users.ts";
import { participations } from "../visitors/contacts.ts";
import type { Conversations, PostMessage } from "./types.ts";
import { needLabels } from "./labels.ts";
import {
  entriesAt,
  findConversation,
  listConversations,
  listMessages,
  selectConversations,
  unreadOf,
} from "./queries.ts";
import { readMany } from "./read_many.ts";
import { createReads } from "./reads.ts";
import { maySee } from "./rights.ts";
import { readCatchUp, unchangedCatchUp } from "./catch_up.ts";
import {
  type FullConversationRow,
  toConversation,
  toLogEntry,
  toMessage,
  toPointers,
} from "./view.ts";
import { type Actor, SYSTEM } from "./unit_of_work.ts";
import type { Writer } from "./writer.ts";

export interface ConversationsOptions {
  db: Db;
  bus: EventBus;
  writer: Writer;
  epoch: string;
  maxReplayEvents: number;
  broadcastsPerMinute: number;
  onError: (error: unknown) => void;
}

const PAGE = 50;

export function createConversations(options: ConversationsOptions): Conversations {
  const { db, bus, writer, epoch, maxReplayEvents } = options;
  const reads = createReads(db);
  const broadcasts = new KeyedLimiter(options.broadcastsPerMinute);

  function notFound(id: string): ParleyError {
    return new ParleyError("not_found", `Cannot find the conversation "${id}"`);
  }

  /** @param trx of which it is to be a part; default: read together with what others ask for. */
  async function load(principal: Caller, id: string, trx?: Db): Promise<FullConversationRow> {
    const row = await (trx === undefined ? reads.conversation(id) : findConversation(trx, id));
    if (row === null || !maySee(principal, row)) throw notFound(id);
    return row;
  }

  function takeBroadcast(conversationId: string): void {
    const wait = broadcasts.take(conversationId);
    if (wait > 0) {
      throw new ParleyError("rate_limited", "Cannot send: this conversation is too busy", {
        retryAfter: wait,
        limit: "LIMIT_ROOM_BROADCASTS_PER_MINUTE",
      });
    }
  }

  function once(take: () => void): () => void {
    let taken = false;
    return () => {
      if (taken) return;
      take();
      taken = true;
    };
  }

  async function ownConversation(contactId: string): Promise<string> {
    const found = await db.selectFrom("conversations").select("id")
      .where("contact_id", "=", contactId).where("platform", "=", "web").executeTakeFirst();
    if (found !== undefined) return found.id;
    const now = new Date();
    const id = uuidv7();
    const created = await db.insertInto("conversations").values({
      id,
      contact_id: contactId,
      platform: "web",
      created_at: now,
      updated_at: now,
      last_activity_at: now,
    }).onConflict((oc) => oc.column("contact_id").where("platform", "=", "web").doNothing())
      .returning("id").executeTakeFirst();
    if (created === undefined) return await ownConversation(contactId);
    bus.emit("conversation.opened", { conversationId: id, contactId });
    return id;
  }

  /** A visitor sees their own conversation as unread from their side. */
  function view(row: FullConversationRow, principal: Caller, unread?: number): Conversation {
    return toConversation(row, epoch, audienceOf(principal), unread);
  }

  async function unreadFor(principal: Caller, id: string): Promise<number | undefined> {
    return principal.kind === "agent" ? await unreadOf(db, id, principal.userId) : undefined;
  }

  /** The contact's name stands in the rows of the list. */
  async function announceContact(contactId: string): Promise<void> {
    const rows = await selectConversations(db)
      .where((eb) =>
        eb.or([
          eb("c.contact_id", "=", contactId),
          eb("c.id", "in", participations(db, contactId)),
        ])
      ).execute();
    for (const row of rows) {
      bus.emit("conversation.updated", { conversation: toConversation(row, epoch, "agents") });
    }
  }
  bus.on("contact.updated", ({ contactId }) => {
    announceContact(contactId).catch(options.onError);
  });

  const self: Conversations = {
    epoch,

    async list(principal, query) {
      if (principal.kind === "visitor") {
        throw new ParleyError("forbidden", "Cannot list conversations: only agents may");
      }
      needScope(principal, "conversations:read");
      const page = await listConversations(db, {
        ...query,
        userId: principal.userId,
        limit: query.limit ?? PAGE,
      });
      return {
        items: page.rows.map((row) =>
          view(row, principal, principal.kind === "agent" ? row.unread : undefined)
        ),
        nextCursor: page.nextCursor,
      };
    },

    async get(principal, id) {
      needScope(principal, "conversations:read");
      const row = await load(principal, id);
      return view(row, principal, await unreadFor(principal, id));
    },

    async open(principal, contactId) {
      needScope(principal, "conversations:write");
      const contact = principal.kind === "visitor" ? principal.userId : contactId;
      if (contact === undefined) {
        throw new ParleyError("invalid", 'Cannot open a conversation: "contactId" is missing', {
          fields: [{ path: "contactId", message: "is needed from an agent" }],
        });
      }
      const participant = principal.kind === "visitor" && principal.contexts !== undefined;
      if (participant) {
        throw new ParleyError("forbidden", "Cannot open a conversation: the token names contexts");
      }
      if (principal.kind === "visitor" && contactId !== undefined && contactId !== contact) {
        throw new ParleyError("forbidden", "Cannot open a conversation: it is somebody else's");
      }
      const known = await db.selectFrom("contacts").select("id").where("id", "=", contact)
        .executeTakeFirst();
      if (known === undefined) {
        throw new ParleyError("not_found", `Cannot find the contact "${contact}"`);
      }
      const row = await load(principal, await ownConversation(contact));
      return view(row, principal, await unreadFor(principal, row.id));
    },

    async post(principal, input) {
      needScope(principal, "messages:write");
      const actor = await senderOf(principal, input.sender);
      let { conversationId } = input;
      if (conversationId === undefined) {
        if (principal.kind !== "visitor" || principal.contexts !== undefined) {
          throw new ParleyError("invalid", 'Cannot send: "conversationId" is missing', {
            fields: [{ path: "conversationId", message: "is needed here" }],
          });
        }
        conversationId = await ownConversation(principal.userId);
      }
      if (input.isPrivate === true && principal.kind === "visitor") {
        throw new ParleyError("forbidden", "Cannot send a private note: only agents may");
      }
      const admit = once(() => takeBroadcast(conversationId));
      const result = await writer.write({
        kind: "message",
        conversationId,
        // Not before: who may not write here must not use up the rate of those who may.
        admit,
        actor,
        content: input.content,
        clientMessageId: input.clientMessageId,
        isPrivate: input.isPrivate ?? false,
      });
      return {
        message: toMessage(result.message!, toPointers(result.row)),
        duplicate: result.duplicate,
      };
    },

    async edit(principal, conversationId, id, content) {
      const actor = actorOf(principal);
      const { message, row } = await writer.write({
        kind: "edit",
        conversationId,
        actor,
        messageId: id,
        content,
      });
      return toMessage(message!, toPointers(row));
    },

    async remove(principal, conversationId, id) {
      const actor = actorOf(principal);
      const { message } = await writer.write({
        kind: "delete",
        conversationId,
        actor,
        messageId: id,
      });
      return { messageId: message!.id, seq: message!.seq };
    },

    async update(principal, id, changes) {
      if (principal.kind === "visitor") {
        throw new ParleyError("forbidden", "Cannot change the conversation: only agents may");
      }
      needScope(principal, "conversations:write");
      const { status, labels } = changes;
      const assignee = await assigneeOf(changes.assigneeId);
      if (labels !== undefined) await needLabels(db, id, labels);
      const writes = [];
      const actor = actorOf(principal);
      if (assignee !== undefined) {
        writes.push(writer.write({ kind: "assign", conversationId: id, actor, assignee }));
      }
      if (status !== undefined) {
        writes.push(writer.write({ kind: "status", conversationId: id, actor, status }));
      }
      if (labels !== undefined) {
        writes.push(writer.write({ kind: "labels", conversationId: id, actor, change: labels }));
      }
      await Promise.all(writes);
      if (assignee) await keepActive(id, assignee.userId);
      return view(await load(principal, id), principal, await unreadFor(principal, id));
    },

    async read(principal, conversationId, seq) {
      const result = await writer.write({
        kind: "pointer",
        conversationId,
        actor: actorOf(principal),
        seq,
        read: true,
      });
      const { pointer, row } = result;
      const agent = principal.kind === "agent";
      return {
        readSeq: pointer?.read_seq ?? 0,
        unread: agent
          ? row.inbound_count - (pointer?.read_inbound ?? 0)
          : row.outbound_count - (pointer?.read_outbound ?? 0),
      };
    },

    async delivered(principal, conversationId, seq) {
      const { pointer } = await writer.write({
        kind: "pointer",
        conversationId,
        actor: actorOf(principal),
        seq,
        read: false,
      });
      return { deliveredSeq: pointer?.delivered_seq ?? 0 };
    },

    async history(principal, conversationId, query) {
      needScope(principal, "conversations:read");
      const row = await load(principal, conversationId);
      const page = await listMessages(db, {
        conversationId,
        publicOnly: principal.kind === "visitor" || query.publicOnly === true,
        before: query.before,
        // Postgres does not read dates before the year 0 in this form; no message is older than 1970.
        beforeTime: query.beforeTime === undefined
          ? undefined
          : new Date(Math.max(0, Date.parse(query.beforeTime))),
        after: query.after,
        limit: query.limit ?? PAGE,
      });
      const pointers = toPointers(row);
      return {
        messages: page.rows.map((message) => toMessage(message, pointers)),
        hasMore: page.hasMore,
      };
    },

    async join(principal, conversationId, position) {
      // The position first; what is written from then on is not read here, and comes live.
      const row = await load(principal, conversationId);
      const conversation = view(row, principal);
      const pointers = toPointers(row);
      const { last_seq: seq } = row;
      const forAgents = principal.kind === "agent";
      const after = position.epoch === epoch ? position.seq : undefined;
      const missed = after === undefined ? Infinity : seq - after;
      if (after !== undefined && missed >= 0 && missed <= maxReplayEvents) {
        const log = missed === 0 ? [] : await reads.log({ conversationId, after, upTo: seq });
        if (log.length === missed) {
          const events = log.map(({ event, message }) => {
            const entry = toLogEntry(event, message, pointers);
            return forAgents ? entry.forAgents : entry.forVisitors;
          });
          return { conversation, seq, recovered: true, events, snapshot: null };
        }
      }
      const page = await reads.latest({
        conversationId,
        publicOnly: !forAgents,
        upTo: seq,
        limit: position.limit ?? PAGE,
      });
      const messages = page.rows.map((message) => toMessage(message, pointers));
      const snapshot = { messages, hasMore: page.hasMore };
      return { conversation, seq, recovered: false, events: [], snapshot };
    },

    async entries(principal, positions) {
      if (positions.length === 0) return new Map();
      const ids = [...new Set(positions.map(({ conversationId }) => conversationId))];
      const rows = await selectConversations(db).where("c.id", "in", ids).execute();
      const visible = new Map(
        rows.filter((row) => maySee(principal, row)).map((row) => [row.id, toPointers(row)]),
      );
      const found = await entriesAt(db, positions);
      return new Map(found.flatMap(({ event, message }) => {
        const pointers = visible.get(event.conversation_id);
        if (pointers === undefined) return [];
        const entry = toLogEntry(event, message, pointers);
        const key = `${event.conversation_id} ${event.seq}`;
        return [[key, principal.kind === "agent" ? entry.forAgents : entry.forVisitors]];
      }));
    },

    async catchUp(principal, conversationId, { after, limit }) {
      const forAgents = principal.kind === "agent";
      const query = { after, limit: limit ?? maxReplayEvents, epoch, forAgents };
      // Who polls has mostly missed nothing, and needs no transaction.
      const row = await load(principal, conversationId);
      const unchanged = await unchangedCatchUp(reads.receipts, row, query);
      if (unchanged !== undefined) return unchanged;
      return await db.transaction().setIsolationLevel("repeatable read").execute(async (trx) => {
        const found = await readCatchUp(trx, await load(principal, conversationId, trx), query);
        if (limit !== undefined || !found.hasMore) return found;
        return { events: [], position: found.end, end: found.end, hasMore: false, reset: true };
      });
    },

    totalUnread: (principal) =>
      principal.kind === "agent" ? reads.totalUnread(principal.userId) : Promise.resolve(0),

    async readMany(principal, which) {
      if (principal.kind !== "agent") {
        throw new ParleyError("forbidden", "Cannot read many conversations: only agents may");
      }
      return await readMany(db, writer, actorOf(principal), which);
    },

    async mustExist(conversationId) {
      if (await findConversation(db, conversationId) === null) throw notFound(conversationId);
    },

    takeBroadcast,
  };

  async function assigneeOf(assigneeId: string | null | undefined) {
    if (assigneeId === undefined || assigneeId === null) return assigneeId;
    const user = await findUser(db, assigneeId);
    if (user === null || user.disabledAt !== null) {
      throw new ParleyError("invalid", `Cannot assign: there is no active user "${assigneeId}"`, {
        fields: [{ path: "assigneeId", message: "must be an active user's id" }],
      });
    }
    return { userId: user.id, userName: user.name };
  }

  /** Switched off while it was assigned to them, they handed it over to nobody. */
  async function keepActive(conversationId: string, userId: string): Promise<void> {
    if ((await findUser(db, userId))?.disabledAt === null) return;
    const assign = { kind: "assign", assignee: null, from: userId } as const;
    await writer.write({ ...assign, conversationId, actor: SYSTEM });
  }

  async function senderOf(caller: Caller, sender: PostMessage["sender"]): Promise<Actor> {
    if (sender === undefined) return actorOf(caller);
    if (caller.kind !== "program") {
      throw new ParleyError("forbidden", 'Cannot send as somebody else: "sender" is for programs');
    }
    if ("userName" in sender) return { ...actorOf(caller), userName: sender.userName };
    const user = await findUser(db, sender.userId);
    if (user === null || user.disabledAt !== null) {
      const { userId } = sender;
      throw new ParleyError("invalid", `Cannot send: there is no active user "${userId}"`, {
        fields: [{ path: "sender.userId", message: "must be an active user's id" }],
      });
    }
    return { userId: user.id, userName: user.name, role: "agent", principal: null };
  }

  return self;
}

export function actorOf(caller: Caller): Actor {
  const { userId, userName } = caller;
  // A program's rights are its scopes, which were asked for on the way here.
  if (caller.kind === "program") return { userId, userName, role: "bot", principal: null };
  return { userId, userName, role: caller.kind, principal: caller };
}
