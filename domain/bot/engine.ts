/**
 * Evaluates the rules: on a visitor's page and on a visitor's message, the first rule whose conditions
 * hold sends its messages, once.
 */
import type { Db } from "../../db/database.ts";
import { isUnavailable } from "../../db/database_error.ts";
import {
  type ContextRule,
  type Message,
  type Page,
  RuleAction,
  RuleCondition,
} from "../../protocol/model.ts";
import { holds, type RuleInput } from "../../protocol/rule_match.ts";
import type { Actor } from "../conversations/unit_of_work.ts";
import type { Conversations } from "../conversations/types.ts";
import type { Writer } from "../conversations/writer.ts";
import type { EventBus } from "../events.ts";
import { formatText } from "../formatting/format_text.ts";
import type { VisitorPrincipal } from "../principal.ts";
import type { Pages } from "../visitors/pages.ts";
import { webConversationOf } from "../visitors/sessions.ts";
import { listRules } from "./rules.ts";

export interface Bot {
  /** A visitor has opened or reloaded a page. */
  visited(visitor: VisitorPrincipal, page: Page): void;
  /** Patterns of the pages on which a rule may write before the visitor does. */
  pages(): Promise<string[]>;
  /** Resolves when nothing is being evaluated. */
  idle(): Promise<void>;
}

export interface BotOptions {
  db: Db;
  bus: EventBus;
  writer: Writer;
  conversations: Pick<Conversations, "open">;
  pages: Pick<Pages, "stored">;
  /** Name of the sender. */
  name: string;
  onError: (error: unknown) => void;
  now?: () => number;
}

/** The sender of the rules' messages. */
export const BOT_ID = "bot";

/** After an agent has written, rules are quiet for this time. */
const QUIET_MS = 10 * 60_000;
/** Messages of a conversation among which an agent's is looked for. */
const LATEST = 100;
/** Patterns that a widget gets; where there are more it gets one for every page. */
const MAX_PAGES = 100;
/** How long rules are cached: for so long another node may use rules that were changed. */
const CACHE_MS = 1_000;
/** Tries of an evaluation while the database is away, and milliseconds between. */
const TRIES = 30;
const RETRY_MS = 1000;
/** Evaluations at a time; more are dropped: under such a load a greeting is no loss. */
const MAX_RUNNING = 500;

export function createBot(options: BotOptions): Bot {
  const { db, bus, writer, conversations, pages, onError, now = Date.now } = options;
  const actor: Actor = { userId: BOT_ID, userName: options.name, role: "bot", principal: null };
  const running = new Set<Promise<void>>();
  let cached: Promise<ContextRule[]> | null = null;
  let until = 0;
  let ending = false;

  /** The enabled rules that this version can read. */
  function rules(): Promise<ContextRule[]> {
    if (cached !== null && now() < until) return cached;
    until = now() + CACHE_MS;
    const reading = listRules(db)
      .then((all) => all.filter((rule) => rule.enabled && isUnderstood(rule)));
    reading.catch(() => {
      if (cached === reading) cached = null;
    });
    return cached = reading;
  }
  bus.on("rules.changed", () => cached = null);

  function start(work: () => Promise<void>): void {
    if (running.size >= MAX_RUNNING) return;
    const evaluation = withRetries(work).catch(onError).finally(() => running.delete(evaluation));
    running.add(evaluation);
  }

  /** Waits for a database that is away; what was sent before is not sent again. */
  async function withRetries(work: () => Promise<void>): Promise<void> {
    for (let tries = 1;; tries++) {
      try {
        return await work();
      } catch (error) {
        if (!isUnavailable(error) || ending || tries === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  bus.on("conversation.logged", ({ conversationId, entries }) => {
    for (const { forAgents } of entries) {
      if (forAgents.type !== "message") continue;
      const { sender, type, isPrivate } = forAgents.data;
      // Only messages of visitors: a bot must never respond to a bot, which may be itself.
      if (sender.role !== "visitor" || type !== "text" || isPrivate) continue;
      const message = forAgents.data;
      start(() => evaluateMessage(conversationId, message));
    }
  });

  async function evaluateMessage(
    conversationId: string,
    { content, sender }: Message,
  ): Promise<void> {
    const candidates = (await rules()).filter((rule) =>
      holds(rule.conditions.filter(({ kind }) => kind !== "page_url"), {
        url: null,
        message: content,
      })
    );
    if (candidates.length === 0) return;
    const needsPage = candidates.some(({ conditions }) =>
      conditions.some(({ kind }) => kind === "page_url")
    );
    const url = needsPage ? await pageOf(conversationId, sender.userId) : null;
    const rule = firstThatHolds(candidates, { url, message: content });
    if (rule !== undefined) await send(rule, conversationId, "");
  }

  /** The last page of a conversation's visitor. */
  async function pageOf(conversationId: string, contactId: string): Promise<string | null> {
    // The first message stores what was seen before it.
    await pages.stored(contactId);
    const row = await db.selectFrom("chat_sessions as s")
      .innerJoin("conversations as c", "c.contact_id", "s.contact_id")
      .select("s.page_url")
      .where("c.id", "=", conversationId).where("s.page_url", "is not", null)
      .orderBy("s.last_seen_at", "desc").limit(1).executeTakeFirst();
    return row?.page_url ?? null;
  }

  async function evaluatePage(
    visitor: VisitorPrincipal,
    sessionHash: string,
    page: Page,
  ): Promise<void> {
    const rule = firstThatHolds(await rules(), { url: page.url, message: null });
    if (rule === undefined) return;
    // Once in a session; this much of its hash identifies it among the sessions of a contact.
    const occasion = sessionHash.slice(0, 16);
    const existing = await webConversationOf(db, visitor.userId);
    const conversationId = existing ?? (await conversations.open(visitor)).id;
    await send(rule, conversationId, occasion);
  }

  /** Sends the rule's messages, unless they were sent on this occasion, or an agent is writing. */
  async function send(rule: ContextRule, conversationId: string, occasion: string): Promise<void> {
    const ids = rule.actions.map((_, index) =>
      [`rule:${rule.id}:${index}`, occasion].filter(Boolean).join(":")
    );
    if (await isSilenced(conversationId, ids)) return;
    for (const [index, action] of rule.actions.entries()) {
      // The id makes sure that it is sent once, by several nodes and after a restart.
      await writer.write({
        kind: "message",
        conversationId,
        actor,
        content: action.content,
        formatted: formatText(action.content),
        clientMessageId: ids[index]!,
        isPrivate: false,
      });
    }
  }

  async function isSilenced(conversationId: string, ids: string[]): Promise<boolean> {
    const sent = await db.selectFrom("chat_messages").select("id")
      .where("conversation_id", "=", conversationId).where("sender_id", "=", BOT_ID)
      .where("client_message_id", "in", ids).execute();
    if (sent.length === ids.length) return true;
    const since = new Date(now() - QUIET_MS);
    const latest = await db.selectFrom("chat_messages")
      .select(["sender_role", "type", "is_private", "created_at"])
      .where("conversation_id", "=", conversationId).orderBy("seq", "desc").limit(LATEST).execute();
    return latest.some((message) =>
      message.sender_role === "agent" && message.type === "text" && !message.is_private &&
      message.created_at > since
    );
  }

  return {
    visited(visitor, page) {
      const { sessionHash } = visitor;
      // Participants of contexts have no session.
      if (sessionHash !== null) start(() => evaluatePage(visitor, sessionHash, page));
    },
    async pages() {
      const onPages = (await rules()).filter(({ conditions }) =>
        conditions.every(({ kind }) => kind === "page_url")
      );
      const globs = onPages.flatMap(({ conditions }) => {
        const [first] = conditions;
        return first?.kind === "page_url" ? first.globs : [];
      });
      const distinct = [...new Set(globs)];
      return distinct.length > MAX_PAGES ? ["*"] : distinct;
    },
    async idle() {
      ending = true;
      while (running.size > 0) await Promise.all(running);
    },
  };
}

function firstThatHolds(rules: ContextRule[], cause: RuleInput): ContextRule | undefined {
  return rules.find(({ conditions }) => holds(conditions, cause));
}

/** False for a rule that psql or a later version wrote and this one cannot read in full. */
function isUnderstood({ conditions, actions }: ContextRule): boolean {
  return conditions.length > 0 && actions.length > 0 &&
    conditions.every((one) => RuleCondition.safeParse(one).success) &&
    actions.every((one) => RuleAction.safeParse(one).success);
}
