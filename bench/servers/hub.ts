/**
 * Parley's database, domain and realtime floor as server.ts puts them together, with a handle on
 * the event bus: what the generator asks for is announced as the writer announces a committed batch.
 */
import { openDatabase } from "../../db/database.ts";
import { createConversations } from "../../domain/conversations/service.ts";
import { positionsOf } from "../../domain/conversations/queries.ts";
import { createWriter } from "../../domain/conversations/writer.ts";
import { createEventBus } from "../../domain/events.ts";
import { authenticateSession, webConversationOf } from "../../domain/visitors/sessions.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { createPeerReader } from "../../realtime/address.ts";
import { createMemoryBroker } from "../../realtime/broker_memory.ts";
import { createRealtime } from "../../realtime/server.ts";
import { readSettings } from "../../settings.ts";
import { control } from "./deno_control.ts";
import { CONVERSATION } from "./event.mjs";

const settings = readSettings(Deno.env.toObject());
const onError = (error: unknown) => console.error(error);
const { db, epoch } = await openDatabase({
  url: settings.DATABASE_URL,
  dataDir: settings.DATA_DIR,
  pool: settings.DATABASE_POOL,
});
const bus = createEventBus(onError);
/** Set by the benchmark of durable messages, to compare with one message a transaction. */
const maxBatch = Number(Deno.env.get("BENCH_MAX_BATCH") ?? "500");
const writer = createWriter({ db, bus, epoch, maxPending: settings.MAX_PENDING_WRITES, maxBatch });
const realtime = createRealtime({
  bus,
  broker: createMemoryBroker(),
  conversations: createConversations({
    db,
    bus,
    writer,
    epoch,
    maxReplayEvents: settings.MAX_REPLAY_EVENTS,
    broadcastsPerMinute: settings.LIMIT_ROOM_BROADCASTS_PER_MINUTE,
    onError,
  }),
  node: "bench",
  limits: {
    messageBytes: settings.MAX_MESSAGE_BYTES,
    preAuthBytes: settings.MAX_PRE_AUTH_BYTES,
    preAuthMessages: settings.MAX_PRE_AUTH_MESSAGES,
    queueBytes: settings.MAX_QUEUE_BYTES,
    pendingFrames: settings.MAX_PENDING_COMMANDS,
    messagesPerMinute: settings.LIMIT_MESSAGES_PER_MINUTE,
    typingPerMinute: settings.LIMIT_TYPING_PER_MINUTE,
    subscriptions: settings.MAX_SUBSCRIPTIONS,
  },
  connectionsPerMinute: settings.LIMIT_CONNECTIONS_PER_MINUTE,
  exemptLoopback: true,
  maxConnectionsPerUser: settings.MAX_CONNECTIONS_PER_USER,
  authTimeoutMs: settings.AUTH_TIMEOUT_MS,
  heartbeatMs: settings.HEARTBEAT_MS,
  typingMs: settings.TYPING_MS,
  presenceGraceMs: settings.PRESENCE_GRACE_MS,
  tokenGraceMs: settings.TOKEN_GRACE_MS,
  drainMs: settings.DRAIN_MS,
  agentOrigins: [],
  peer: createPeerReader([]),
  originAllowed: () => Promise.resolve(true),
  agentByToken: () =>
    Promise.reject(new ParleyError("unauthenticated", "Cannot authenticate: visitors only")),
  visitorBySession: (sessionId) =>
    authenticateSession(db, sessionId, { lifeMs: settings.SESSION_MS }),
  conversationOf: (contactId) => webConversationOf(db, contactId),
  positions: (ids) => positionsOf(db, ids),
  recordPage: () => Promise.resolve(),
  onGone: () => {},
  totalUnread: () => Promise.resolve(0),
  onError,
});

const server = Deno.serve(
  { port: 0, hostname: "127.0.0.1", onListen: () => {} },
  (request, info) => realtime.upgrade(request, info.remoteAddr.hostname),
);
control(server.addr.port, (events) => {
  bus.emit("conversation.logged", {
    conversationId: CONVERSATION,
    entries: events.map((event) => {
      const logged = { ...event, type: "message_deleted" } as const;
      return { seq: event.data.seq, forAgents: logged, forVisitors: logged };
    }),
  });
}, () => ({ ...realtime.stats(), ...Deno.memoryUsage() }));
