import type { SequencedEntry } from "./sequencer.ts";
import { type ClusterEvents, createClusterEvents } from "./cluster_events.ts";
import { toEntry } from "./collaboration.ts";
import { createHandshakeRefusals, type ReportRefusal } from "./handshake_refusals.ts";
import { Hub } from "./hub.ts";
import { type Nodes, startNodes } from "./nodes.ts";
import { createPresence, type PresenceTracker } from "./presence.ts";
import { ROOMS } from "./rooms.ts";
import { createTimerWheel, type TimerWheel } from "./timer_wheel.ts";
import type { RealtimeOptions } from "./types.ts";
import { createTyping, type TypingTracker } from "./typing.ts";

/** What everything else builds on: rooms, other nodes, and who is online. */
export interface Core {
  wheel: TimerWheel;
  hub: Hub;
  nodes: Nodes;
  events: ClusterEvents;
  presence: PresenceTracker;
  typing: TypingTracker;
  reportRefusal: ReportRefusal;
}

export function createCore(options: RealtimeOptions): Core {
  const { bus, broker, metrics, timeouts, onError } = options;
  const { documents } = options.services;
  const wheel = createTimerWheel({ onError });

  /** The log of a room: of a document, or of a conversation. */
  async function logAfter(room: string, seq: number): Promise<SequencedEntry[]> {
    const documentId = ROOMS.documentOf(room);
    if (documentId === null) {
      return await options.queries.logAfter(ROOMS.conversationOf(room)!, seq);
    }
    const edits = await documents.editsAfter(documentId, seq);
    const at = new Date();
    return edits.map((edit) => toEntry(edit, at));
  }

  const hub = new Hub(broker, { wheel, logAfter, onError }, metrics);
  const nodes = startNodes({
    self: options.node,
    broker,
    timeoutMs: timeouts.nodeMs,
    graceMs: timeouts.presenceGraceMs,
    onError,
  });
  nodes.onGone((_node, how) => metrics.nodesGone.inc({ how }));
  nodes.onLost(() => metrics.gaps.inc());
  return {
    wheel,
    hub,
    nodes,
    events: createClusterEvents(bus, nodes, onError),
    presence: createPresence({
      hub,
      nodes,
      wheel,
      graceMs: timeouts.presenceGraceMs,
      onHere: (userId) => options.people.onHere(userId),
      onGone: (userId, role) =>
        options.people.onGone(userId, role === "agent" ? "agent" : "visitor"),
    }),
    typing: createTyping({ hub, wheel, timeoutMs: timeouts.typingMs }),
    reportRefusal: createHandshakeRefusals(metrics),
  };
}
