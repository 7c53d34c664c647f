/**
 * Replies for a later time: stored with a job, which posts each once, as the agent who wrote it,
 * whether a page is open or not.
 */
import { z } from "zod";
import type { Db } from "../../db/database.ts";
import type { ScheduledMessageRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { isTemporary, ParleyError, toParleyError } from "../../protocol/errors.ts";
import { Id } from "../../protocol/model.ts";
import {
  type CreateScheduledBody,
  MAX_SCHEDULED_DAYS,
  MAX_SCHEDULED_IN_CONVERSATION,
  MAX_SCHEDULED_OF_AGENT,
  type ScheduledMessage,
  type UpdateScheduledBody,
} from "../../protocol/scheduled_messages.ts";
import type { EventBus } from "../events.ts";
import type { JobQueue } from "../jobs/queue.ts";
import { cancelJob, insertJob } from "../jobs/storage.ts";
import type { AgentPrincipal } from "../principal.ts";
import type { Conversations } from "./types.ts";

const KIND = "message.send";
/** Runs of a job, see domain/jobs/queue.ts; a last one that fails is said to people. */
const LAST_ATTEMPT = 6;

type Row = ScheduledMessageRow & { user_name: string; disabled_at: Date | null };
type Agent = Pick<AgentPrincipal, "userId" | "role">;

export interface ScheduledMessages {
  /** Of a conversation, the next one first. */
  list(conversationId: string): Promise<ScheduledMessage[]>;
  /** @throws {ParleyError} `not_found`, `invalid` for a time that is past or too far, `conflict` */
  create(
    agent: Agent,
    conversationId: string,
    values: CreateScheduledBody,
  ): Promise<ScheduledMessage>;
  /** @throws {ParleyError} `not_found`, `forbidden`, `invalid`; `conflict` while it is sent */
  update(agent: Agent, id: string, changes: UpdateScheduledBody): Promise<ScheduledMessage>;
  /** Sends it at once. @throws as `update` */
  sendNow(agent: Agent, id: string): Promise<void>;
  /** @throws as `update` */
  cancel(agent: Agent, id: string): Promise<void>;
}

export interface ScheduledOptions {
  db: Db;
  bus: EventBus;
  jobQueue: JobQueue;
  conversations: Pick<Conversations, "post" | "mustExist">;
}

function toScheduled(row: Row): ScheduledMessage {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    sender: { userId: row.user_id, userName: row.user_name, role: "agent" },
    content: row.content,
    sendAt: row.send_at.toISOString(),
    error: row.error,
    createdAt: row.created_at.toISOString(),
  };
}

function rows(db: Db) {
  return db.selectFrom("scheduled_messages as s").innerJoin("users as u", "u.id", "s.user_id")
    .selectAll("s").select(["u.name as user_name", "u.disabled_at"]);
}

/** Call it before the queue starts. */
export function createScheduledMessages(options: ScheduledOptions): ScheduledMessages {
  const { db, bus, jobQueue, conversations } = options;
  const changed = (conversationId: string) => bus.emit("scheduled.changed", { conversationId });

  async function one(of: Db, id: string): Promise<Row> {
    const row = await rows(of).where("s.id", "=", id).executeTakeFirst();
    if (row === undefined) {
      throw new ParleyError("not_found", `Cannot find the scheduled message "${id}"`);
    }
    return row;
  }

  /** Changes one under a lock; its job follows the time. */
  async function change(
    agent: Agent,
    id: string,
    { content, sendAt }: { content?: string | undefined; sendAt?: Date | undefined },
  ): Promise<ScheduledMessage> {
    const { message, at } = await db.transaction().execute(async (trx) => {
      const row = await lockOne(trx, agent, id);
      const at = sendAt ?? row.send_at;
      await trx.updateTable("scheduled_messages").set({
        ...(content === undefined ? {} : { content }),
        send_at: at,
        error: null,
        updated_at: new Date(),
      }).where("id", "=", id).execute();
      await insertJob(trx, { kind: KIND, key: id, payload: { id }, at });
      return { message: toScheduled(await one(trx, id)), at };
    });
    jobQueue.expect(at);
    changed(message.conversationId);
    return message;
  }

  async function lockOne(trx: Db, agent: Agent, id: string): Promise<ScheduledMessageRow> {
    const row = await trx.selectFrom("scheduled_messages").selectAll().where("id", "=", id)
      .forUpdate().executeTakeFirst();
    if (row === undefined) {
      throw new ParleyError("not_found", `Cannot find the scheduled message "${id}"`);
    }
    if (row.user_id !== agent.userId && agent.role !== "admin") {
      throw new ParleyError("forbidden", "Cannot do that: somebody else wrote this message");
    }
    if (row.error === null && row.send_at.getTime() <= Date.now()) {
      throw new ParleyError("conflict", "Cannot change the message: it is being sent");
    }
    return row;
  }

  async function fail(row: Row, error: string): Promise<void> {
    await db.updateTable("scheduled_messages").set({ error }).where("id", "=", row.id).execute();
    changed(row.conversation_id);
  }

  jobQueue.handle(KIND, {
    payload: z.strictObject({ id: Id }),
    async run({ id }, { attempt }) {
      const row = await rows(db).where("s.id", "=", id).executeTakeFirst();
      // Cancelled, or sent by a node that ended before it could say so.
      if (row === undefined) return;
      if (row.disabled_at !== null) return await fail(row, `${row.user_name} was disabled`);
      try {
        await conversations.post(serverAs(row), {
          conversationId: row.conversation_id,
          content: row.content,
          clientMessageId: `scheduled-${row.id}`,
        });
      } catch (error) {
        const { code, message } = toParleyError(error);
        const passes = isTemporary(code) || code === "rate_limited";
        if (passes && attempt < LAST_ATTEMPT) throw error;
        return await fail(row, message);
      }
      await db.deleteFrom("scheduled_messages").where("id", "=", id).execute();
      changed(row.conversation_id);
    },
  });

  return {
    async list(conversationId) {
      await conversations.mustExist(conversationId);
      const found = await rows(db).where("s.conversation_id", "=", conversationId)
        .orderBy("s.send_at").orderBy("s.id").execute();
      return found.map(toScheduled);
    },
    async create(agent, conversationId, { content, sendAt }) {
      const at = checkTime(sendAt);
      await conversations.mustExist(conversationId);
      const id = uuidv7();
      const message = await db.transaction().execute(async (trx) => {
        await needRoom(trx, agent.userId, conversationId);
        await trx.insertInto("scheduled_messages").values({
          id,
          conversation_id: conversationId,
          user_id: agent.userId,
          content,
          send_at: at,
        }).execute();
        await insertJob(trx, { kind: KIND, key: id, payload: { id }, at });
        return toScheduled(await one(trx, id));
      });
      jobQueue.expect(at);
      changed(conversationId);
      return message;
    },
    update(agent, id, { content, sendAt }) {
      const at = sendAt === undefined ? undefined : checkTime(sendAt);
      return change(agent, id, { content, sendAt: at });
    },
    async sendNow(agent, id) {
      await change(agent, id, { sendAt: new Date() });
    },
    async cancel(agent, id) {
      const conversationId = await db.transaction().execute(async (trx) => {
        const row = await lockOne(trx, agent, id);
        await trx.deleteFrom("scheduled_messages").where("id", "=", id).execute();
        await cancelJob(trx, KIND, id);
        return row.conversation_id;
      });
      changed(conversationId);
    },
  };
}

/** The agent, for whom the server acts: no token is behind it. */
function serverAs({ user_id, user_name }: Row): AgentPrincipal {
  return {
    kind: "agent",
    userId: user_id,
    userName: user_name,
    role: "agent",
    tokenId: null,
    signInId: null,
    expiresAt: null,
  };
}

/** @throws {ParleyError} `invalid` */
function checkTime(sendAt: string): Date {
  const at = new Date(sendAt);
  const ahead = at.getTime() - Date.now();
  const message = ahead <= 0
    ? "must be in the future"
    : ahead > MAX_SCHEDULED_DAYS * 86_400_000
    ? `must be within ${MAX_SCHEDULED_DAYS} days`
    : null;
  if (message === null) return at;
  throw new ParleyError("invalid", `Cannot schedule the message: "sendAt" ${message}`, {
    fields: [{ path: "sendAt", message }],
  });
}

/** @throws {ParleyError} `conflict` */
async function needRoom(trx: Db, userId: string, conversationId: string): Promise<void> {
  const { here, own } = await trx.selectFrom("scheduled_messages").select((eb) => [
    eb.fn.countAll<number>().filterWhere("conversation_id", "=", conversationId).as("here"),
    eb.fn.countAll<number>().filterWhere("user_id", "=", userId).as("own"),
  ]).where((eb) => eb.or([eb("conversation_id", "=", conversationId), eb("user_id", "=", userId)]))
    .executeTakeFirstOrThrow();
  const n = Number(here) >= MAX_SCHEDULED_IN_CONVERSATION
    ? here
    : Number(own) >= MAX_SCHEDULED_OF_AGENT
    ? own
    : null;
  if (n === null) return;
  throw new ParleyError("conflict", `Cannot schedule the message: ${n} are waiting already`);
}
