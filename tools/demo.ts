/**
 * `deno task demo`: fills an empty database with realistic conversations. With the embedded
 * database the server must not be running at the same time.
 */
import { type Db, openDatabase } from "../db/database.ts";
import { DataDirError } from "../db/data_dir.ts";
import { createCannedResponse } from "../domain/agents/canned_responses.ts";
import { createUser, listUsers } from "../domain/agents/users.ts";
import { actorOf } from "../domain/conversations/actors.ts";
import { rate } from "../domain/analytics/ratings.ts";
import { createLabel } from "../domain/conversations/labels.ts";
import { createConversations } from "../domain/conversations/service.ts";
import { createWriter, type Writer } from "../domain/conversations/writer.ts";
import { formatText } from "../domain/formatting/format_text.ts";
import { uploaderOf } from "../domain/files/queries.ts";
import { createFiles } from "../domain/files/service.ts";
import type { FileService } from "../domain/files/types.ts";
import { createTeam } from "../domain/teams/teams.ts";
import { createView } from "../domain/views/views.ts";
import { createQueueSettings } from "../domain/workspace/queue_settings.ts";
import { createEventBus, type EventBus } from "../domain/events.ts";
import type { AgentPrincipal, Principal, VisitorPrincipal } from "../domain/principal.ts";
import { hashSecret, newSecret } from "../domain/secrets.ts";
import { openSession } from "../domain/visitors/sessions.ts";
import { ensureFirstWidget, listWidgets } from "../domain/visitors/widgets.ts";
import { brokerKind } from "../process/open_broker.ts";
import { openFileStore } from "../process/open_file_store.ts";
import { readSettings, type Settings, SettingsError } from "../settings.ts";
import type { User } from "../protocol/model.ts";
import { AGENTS, CANNED_REPLIES, LABELS, type Script, SCRIPTS, TEAM, VIEWS } from "./demo_data.ts";
import { recordPages, VISITORS } from "./demo_visits.ts";

const HOUR = 3_600_000;

function refuse(message: string): never {
  console.error(message);
  Deno.exit(1);
}

async function ensureAgents(
  db: Db,
  settings: Settings,
): Promise<{ users: User[]; password: string | null }> {
  const existing = await listUsers(db);
  const password = settings.signIn.adminPassword ?? newSecret(9);
  let made = false;
  for (const agent of AGENTS) {
    if (existing.length > 0 && agent.role === "admin") continue;
    if (existing.some((user) => user.email === agent.email)) continue;
    await createUser(db, { ...agent, password });
    made = true;
  }
  const users = await listUsers(db);
  users.sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  return { users, password: made ? password : null };
}

function agentPrincipal(user: User): AgentPrincipal {
  return {
    kind: "agent",
    userId: user.id,
    userName: user.name,
    role: user.role,
    tokenId: null,
    signInId: null,
    expiresAt: null,
  };
}

interface Stage {
  db: Db;
  bus: EventBus;
  writer: Writer;
  conversations: ReturnType<typeof createConversations>;
  /** null: this server stores none. */
  files: FileService | null;
  clock: { now: number };
  widgetKey: string;
  users: User[];
  /** By name. */
  labelIds: Map<string, string>;
  teamId: string;
}

/** As the server would take it from whoever sends it. */
async function upload(files: FileService, sender: Principal, name: string) {
  const { readable } = await Deno.open(new URL(`demo_files/${name}`, import.meta.url));
  const uploadId = crypto.randomUUID();
  const { file } = await files.upload(sender, { name, uploadId, body: readable });
  return { ids: [file.id], uploader: uploaderOf(sender) };
}

/** Writes one conversation line by line, with its own clock. */
async function play(stage: Stage, script: Script): Promise<void> {
  const { db, writer, clock, conversations, files } = stage;
  clock.now = Date.now() - script.hoursAgo * HOUR;
  const browser = VISITORS[script.name.length % VISITORS.length]!;
  const session = await openSession(
    db,
    stage.bus,
    {
      widgetKey: stage.widgetKey,
      name: script.name,
      email: script.email,
      locale: browser.locale,
      attributes: browser.attributes,
    },
    { origin: null, self: "", userAgent: browser.userAgent },
    { lifeMs: 90 * 24 * HOUR, renames: { take: () => 0 }, pages: { seen: async () => {} } },
  );
  const began = new Date(clock.now);
  await db.updateTable("contacts").set({ created_at: began, last_seen_at: began })
    .where("id", "=", session.contact.id).execute();
  await recordPages(db, session.contact.id, browser, began);
  const visitor: VisitorPrincipal = {
    kind: "visitor",
    userId: session.contact.id,
    userName: session.contact.name,
    sessionHash: await hashSecret(session.sessionId),
    widgetId: session.widget.id,
    allowedOrigins: [],
    expiresAt: null,
  };
  const { id: conversationId } = await conversations.open(visitor);
  await db.updateTable("conversations").set({ created_at: began, last_activity_at: began })
    .where("id", "=", conversationId).execute();
  const agent = agentPrincipal(stage.users[script.agent % stage.users.length]!);
  const write = (operation: Parameters<Writer["write"]>[0]) => {
    clock.now = Math.min(clock.now + 45_000 + script.name.length * 4_000, Date.now());
    return writer.write(operation);
  };
  const { labels, priority } = script;
  await conversations.update(agent, conversationId, {
    labels: labels && { add: labels.map((name) => stage.labelIds.get(name)!), remove: [] },
    priority,
    teamId: labels?.includes(TEAM.label) ? stage.teamId : undefined,
  });
  let assigned = false;
  const sent: string[] = [];
  for (const [who, content, { file, answers } = {}] of script.lines) {
    const principal = who === "v" ? visitor : agent;
    if (who !== "v" && script.assigned === true && !assigned) {
      assigned = true;
      const assignee = { userId: agent.userId, userName: agent.userName };
      await write({ kind: "assign", conversationId, actor: actorOf(agent), assignee });
    }
    const { message } = await write({
      kind: "message",
      conversationId,
      actor: actorOf(principal),
      content,
      formatted: formatText(content),
      replyToId: answers === undefined ? undefined : sent[answers],
      clientMessageId: null,
      isPrivate: who === "n",
      files: file && files ? await upload(files, principal, file) : undefined,
    });
    sent.push(message!.id);
  }
  if (script.resolved === true) {
    await write({ kind: "status", conversationId, actor: actorOf(agent), status: "resolved" });
  }
  if (script.rating !== undefined) {
    const [rating, comment] = script.rating;
    const rated = await rate(db, visitor, conversationId, { rating, comment });
    await conversations.rated(visitor, conversationId, rated);
    await db.updateTable("conversation_ratings")
      .set({ created_at: new Date(clock.now), updated_at: new Date(clock.now) })
      .where("conversation_id", "=", conversationId).execute();
  }
  const last = await conversations.get(agent, conversationId);
  const seen = { kind: "pointer", conversationId, seq: last.lastSeq, read: true } as const;
  await write({ ...seen, actor: actorOf(visitor) });
  // Everybody has seen a resolved conversation; the others wait for an answer.
  if (script.resolved === true) {
    for (const user of stage.users) {
      await write({ ...seen, actor: actorOf(agentPrincipal(user)) });
    }
  }
}

/** null where the server that uses this database takes no files. */
function openDemoFiles(settings: Settings, db: Db, bus: EventBus): FileService | null {
  const store = openFileStore(settings, brokerKind(settings, false));
  if (store === null) return null;
  const { maxBytes, uploadMs: totalMs, types, maxPixels, keepUnsentMs } = settings.files;
  return createFiles({
    db,
    bus,
    store,
    scan: null,
    limits: {
      maxBytes,
      silenceMs: totalMs,
      totalMs,
      types,
      maxPixels,
      perMinute: 1000,
      bytesPerHour: Infinity,
      open: 1,
    },
    keepUnsentMs,
    addressLifeMs: 1000,
    // No address is given out.
    secret: newSecret(32),
    onError: (error) => console.error(error),
  });
}

async function main(): Promise<void> {
  const settings = readSettings(Deno.env.toObject());
  const { db, epoch, close } = await openDatabase({
    url: settings.database.url,
    dataDir: settings.database.dataDir,
    pool: 2,
  });
  try {
    const any = await db.selectFrom("contacts").select("id").limit(1).executeTakeFirst();
    if (any !== undefined) {
      refuse(
        "Cannot fill the database: it has contacts already, and demo data would mix with them",
      );
    }
    await ensureFirstWidget(db);
    const { users, password } = await ensureAgents(db, settings);
    const clock = { now: Date.now() };
    const bus = createEventBus((error) => {
      throw error;
    });
    const writer = createWriter({
      db,
      bus,
      epoch,
      maxPending: 1000,
      now: () => new Date(clock.now),
    });
    const conversations = createConversations({
      db,
      bus,
      writer,
      epoch,
      maxReplayEvents: 500,
      broadcastsPerMinute: 1_000_000,
      queueSettings: createQueueSettings(db),
      onError: (error) => console.error(error),
    });
    const widgetKey = (await listWidgets(db))[0]!.widgetKey;
    const labelIds = new Map<string, string>();
    for (const label of LABELS) labelIds.set(label.name, (await createLabel(db, label)).id);
    const admin = users.find((user) => user.role === "admin")!;
    const team = await createTeam(db, {
      name: TEAM.name,
      memberIds: users.filter(({ name }) => TEAM.members.includes(name)).map(({ id }) => id),
    });
    for (const view of VIEWS) await createView(db, agentPrincipal(admin), view);
    for (const reply of CANNED_REPLIES) {
      await createCannedResponse(db, agentPrincipal(admin), reply);
    }
    const files = openDemoFiles(settings, db, bus);
    const stage = {
      db,
      bus,
      writer,
      conversations,
      files,
      clock,
      widgetKey,
      users,
      labelIds,
      teamId: team.id,
    };
    for (const script of SCRIPTS.toReversed()) await play(stage, script);
    await files?.stop();
    console.log(`Made ${SCRIPTS.length} conversations.`);
    if (password !== null) {
      console.log(`Sign in as ${admin.email} with the password ${password}`);
    }
  } finally {
    await close();
  }
}

if (import.meta.main) {
  await main().catch((error) => {
    if (error instanceof SettingsError || error instanceof DataDirError) refuse(error.message);
    throw error;
  });
}
