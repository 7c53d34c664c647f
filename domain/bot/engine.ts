/**
 * The rules at work: on a visitor's page and on a visitor's message, the first rule whose conditions
 * hold speaks, once.
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
import { holds, type RuleCause } from "../../protocol/rule_match.ts";
import type { Actor } from "../conversations/unit_of_work.ts";
import type { Conversations } from "../conversations/types.ts";
import type { Writer } from "../conversations/writer.ts";
import type { EventBus } from "../events.ts";
import type { VisitorPrincipal } from "../principal.ts";
import { webConversationOf } from "../visitors/sessions.ts";
import { listRules } from "./rules.ts";

export interface Bot {
  /** A visitor has come to a page, or is still there after a reload. */
  visited(visitor: VisitorPrincipal, page: Page): void;
  /** Patterns of the pages on which a rule may speak before the visitor does. */
  pages(): Promise<string[]>;
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>;
}

export interface BotOptions {
  db: Db;
  bus: EventBus;
  writer: Writer;
  conversations: Pick<Conversations, "open">;
  /** What visitors and agents see as the sender. */
  name: string;
  onError: (error: unknown) => void;
  now?: () => number;
}

/** The sender of what rules say. */
export const BOT_ID = "bot";

/** While a person has written within this time, rules say nothing. */
const QUIET_MS = 10 * 60_000;
/** Messages of a conversation among which a person's is looked for. */
const LATEST = 100;
/** Patterns that a widget is given; where there are more it is told of every page. */
const MAX_PAGES = 100;
/** How long another node may go on with rules that were changed; on the same node: not at all. */
const KNOWN_MS = 1_000;
/** How often a cause is looked at while the database is away, and milliseconds between. */
const TRIES = 30;
const RETRY_MS = 1000;
/** Causes that are looked at; past it one is let go: under such a load a greeting is no loss. */
const MAX_UNDER_WAY = 500;

export function createBot(options: BotOptions): Bot {
  const { db, bus, writer, conversations, onError, now = Date.now } = options;
  const actor: Actor = { userId: BOT_ID, userName: options.name, role: "bot", principal: null };
  const underWay = new Set<Promise<void>>();
  let known: Promise<ContextRule[]> | null = null;
  let until = 0;
  let ending = false;

  /** Those that are switched on and can be understood. */
  function rules(): Promise<ContextRule[]> {
    if (known !== null && now() < until) return known;
    until = now() + KNOWN_MS;
    const reading = listRules(db)
      .then((all) => all.filter((rule) => rule.enabled && isUnderstood(rule)));
    reading.catch(() => {
      if (known === reading) known = null;
    });
    return known = reading;
  }
  bus.on("rules.changed", () => known = null);

  function start(work: () => Promise<void>): void {
    if (underWay.size >= MAX_UNDER_WAY) return;
    const running = persistently(work).catch(onError).finally(() => underWay.delete(running));
    underWay.add(running);
  }

  /** A database that is away for a moment is waited for; what was said already is not said again. */
  async function persistently(work: () => Promise<void>): Promise<void> {
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
      // Only what visitors write: never an answer to a bot, which may be this one.
      if (sender.role !== "visitor" || type !== "text" || isPrivate) continue;
      const message = forAgents.data;
      start(() => wrote(conversationId, message));
    }
  });

  async function wrote(conversationId: string, { content }: Message): Promise<void> {
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
    const url = needsPage ? await pageOf(db, conversationId) : null;
    const rule = firstThatHolds(candidates, { url, message: content });
    if (rule !== undefined) await speak(rule, conversationId, "");
  }

  async function visit(visitor: VisitorPrincipal, sessionHash: string, page: Page): Promise<void> {
    const rule = firstThatHolds(await rules(), { url: page.url, message: null });
    if (rule === undefined) return;
    // Once in a session; enough of its hash to tell a contact's sessions apart.
    const occasion = sessionHash.slice(0, 16);
    const existing = await webConversationOf(db, visitor.userId);
    const conversationId = existing ?? (await conversations.open(visitor)).id;
    await speak(rule, conversationId, occasion);
  }

  /** Says it, unless it was said on this occasion before, or a person is talking. */
  async function speak(rule: ContextRule, conversationId: string, occasion: string): Promise<void> {
    const ids = rule.actions.map((_, index) =>
      [`rule:${rule.id}:${index}`, occasion].filter(Boolean).join(":")
    );
    if (await isSettled(conversationId, ids)) return;
    for (const [index, action] of rule.actions.entries()) {
      // The id makes it once, whichever nodes try at the same time, and after a restart.
      await writer.write({
        kind: "message",
        conversationId,
        actor,
        content: action.content,
        clientMessageId: ids[index]!,
        isPrivate: false,
      });
    }
  }

  async function isSettled(conversationId: string, ids: string[]): Promise<boolean> {
    const said = await db.selectFrom("chat_messages").select("id")
      .where("conversation_id", "=", conversationId).where("sender_id", "=", BOT_ID)
      .where("client_message_id", "in", ids).execute();
    if (said.length === ids.length) return true;
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
      // Who takes part in contexts by a token has a page of the website's, and no session.
      if (sessionHash !== null) start(() => visit(visitor, sessionHash, page));
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
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function firstThatHolds(rules: ContextRule[], cause: RuleCause): ContextRule | undefined {
  return rules.find(({ conditions }) => holds(conditions, cause));
}

/** What psql or a later version wrote and this one cannot read must not act in part. */
function isUnderstood({ conditions, actions }: ContextRule): boolean {
  return conditions.length > 0 && actions.length > 0 &&
    conditions.every((one) => RuleCondition.safeParse(one).success) &&
    actions.every((one) => RuleAction.safeParse(one).success);
}

/** Where the visitor of a conversation was last. */
async function pageOf(db: Db, conversationId: string): Promise<string | null> {
  const row = await db.selectFrom("chat_sessions as s")
    .innerJoin("conversations as c", "c.contact_id", "s.contact_id")
    .select("s.page_url")
    .where("c.id", "=", conversationId).where("s.page_url", "is not", null)
    .orderBy("s.last_seen_at", "desc").limit(1).executeTakeFirst();
  return row?.page_url ?? null;
}
