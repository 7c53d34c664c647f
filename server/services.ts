/** The services of the domain: what the product does, without HTTP and sockets. */
import { createProcessCounters } from "../domain/analytics/process_counters.ts";
import { createAnalytics } from "../domain/analytics/service.ts";
import { createBot } from "../domain/bot/engine.ts";
import { createDocuments } from "../domain/collaboration/service.ts";
import { createHandOvers } from "../domain/conversations/hand_over.ts";
import { createScheduledMessages } from "../domain/conversations/scheduled.ts";
import { wakeSnoozed } from "../domain/conversations/snoozing.ts";
import { createConversations } from "../domain/conversations/service.ts";
import { createWriter } from "../domain/conversations/writer.ts";
import { createJobQueue } from "../domain/jobs/queue.ts";
import { createNotifications } from "../domain/notifications/service.ts";
import { createTeams } from "../domain/teams/service.ts";
import { startTables } from "../domain/tables/start.ts";
import { createPages } from "../domain/visitors/pages.ts";
import { createQueueSettings } from "../domain/workspace/queue_settings.ts";
import { createWorkspaceChat, WORKSPACE_CHAT } from "../domain/workspace/chat.ts";
import type { Realtime } from "../realtime/types.ts";
import type { Core } from "./core.ts";

export interface ServicesOptions {
  /** Operations in one transaction of the writer; default: its own. */
  maxBatch?: number | undefined;
  /** Since when an agent is away; asked only after the start. */
  absenceOf: Realtime["absenceOf"];
}

export type Services = ReturnType<typeof createServices>;

export function createServices(core: Core, { maxBatch, absenceOf }: ServicesOptions) {
  const { database, bus, metrics, onError } = core;
  const { capacity, rates, notifications: alerts, retention, visitors } = core.settings;
  const { db, jobs, epoch, engine } = database;
  const patienceMs = core.settings.database.retryMs;
  const maxPending = capacity.pendingWrites;
  const maxReplayEvents = capacity.replayEvents;
  const resolutions = {
    minutes: retention.metricMinutesDays,
    hours: retention.metricHoursDays,
    days: retention.metricDaysDays,
  };
  // The first that listens to the bus: it takes the time of a commit.
  const counters = createProcessCounters({ db, bus, metrics, retention: resolutions });
  const changes = startTables({
    database,
    bus,
    maxReplay: maxReplayEvents,
    keepMs: retention.changesMs,
    maxChanges: retention.changes,
    onError,
  });
  const observeBatch = (what: "messages" | "documents") => (size: number, waitedMs: number) => {
    metrics.batchSize.observe({ what }, size);
    metrics.batchWait.observe({ what }, waitedMs / 1000);
  };
  const jobQueue = createJobQueue({
    db,
    onError,
    onRun: (kind, result) => metrics.jobs.inc({ kind, result }),
  });
  const writer = createWriter({
    db,
    bus,
    epoch,
    maxPending,
    maxBatch,
    patienceMs,
    // The embedded database runs one transaction at a time.
    maxRunning: engine === "postgres" ? 2 : 1,
    onBatch: observeBatch("messages"),
    maxStatuses: maxReplayEvents,
  });
  wakeSnoozed({ bus, jobQueue, writer });
  const queueSettings = createQueueSettings(db);
  const teams = createTeams({ db, bus, writer, queueSettings, absenceOf, onError });
  const conversations = createConversations({
    queueSettings,
    db,
    bus,
    writer,
    epoch,
    maxReplayEvents,
    broadcastsPerMinute: rates.roomBroadcasts,
    onError,
  });
  const workspaceChat = createWorkspaceChat({
    db,
    bus,
    epoch,
    maxReplayEvents,
    maxPending,
    patienceMs,
    takeBroadcast: () => conversations.takeBroadcast(WORKSPACE_CHAT),
  });
  const scheduled = createScheduledMessages({ db, bus, jobQueue, conversations });
  const handOvers = createHandOvers({ db, writer, onError });
  const pages = createPages({
    db,
    bus,
    maxTrails: capacity.visitorTrails,
    maxStored: capacity.pagesPerContact,
    onError,
  });
  const name = visitors.botName;
  const bot = createBot({ db, bus, writer, conversations, pages, name, onError });
  const notifications = createNotifications({
    db,
    jobs,
    bus,
    maxPending,
    waitingAlertMs: alerts.waitingAlertMs,
    absentAfterMs: alerts.absentAfterMs,
    absenceOf,
    keepMs: retention.notificationsMs,
    onError,
  });
  const documents = createDocuments({
    db,
    bus,
    epoch,
    limits: {
      documentBytes: capacity.documentBytes,
      editBytes: capacity.editBytes,
      operations: capacity.documentOperations,
    },
    maxPending,
    patienceMs,
    onBatch: observeBatch("documents"),
  });
  const analytics = createAnalytics({ db, jobs, bus, counters, retention: resolutions, onError });

  metrics.watch(
    "parley_pending_writes",
    "Changes that wait for the database",
    () => [
      { labels: { what: "messages" }, value: writer.pending + workspaceChat.pending },
      { labels: { what: "documents" }, value: documents.pending },
    ],
    ["what"],
  );

  // After every service has said which kinds it handles.
  jobQueue.start();

  return {
    analytics,
    bot,
    changes,
    conversations,
    counters,
    documents,
    handOvers,
    jobQueue,
    notifications,
    pages,
    scheduled,
    queueSettings,
    teams,
    workspaceChat,
    writer,

    /** Stores what was accepted. Nothing new may come in any more. */
    async finish(): Promise<void> {
      await bot.idle();
      await pages.idle();
      await jobQueue.stop();
      await handOvers.stop();
      await teams.stop();
      await writer.idle();
      await workspaceChat.idle();
      await analytics.stop();
      await documents.close();
      await notifications.stop();
    },
  };
}
