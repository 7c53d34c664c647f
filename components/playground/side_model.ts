import { batch, signal } from "@preact/signals";
import { newId } from "../../client/mod.ts";
import { createTypingSender } from "../../client/typing.ts";
import { errorText } from "../live/api.ts";
import { ConnectionLost, endOf } from "./replies.ts";
import type { AdapterConnection, AdapterHandlers, Participant, Position, Side } from "./adapter.ts";
import { callLogged } from "./http.ts";
import { createLink, type LinkState } from "./link.ts";
import { type ProtocolId, protocolOf } from "./protocols.ts";
import { createSideState } from "./side_state.ts";
import { type Line, withoutLine, withPending, withState, withStored } from "./thread.ts";

export interface SideDeps {
  /** The conversation of both sides. It is opened where there is none. */
  conversation(): Promise<string>;
  credentials: Participant["credentials"];
  contextToken: Participant["contextToken"];
  /** A message of this side is stored; `at` is the time at which it was sent. */
  sent(seq: number, at: number): void;
  /** This side received a message of the other side. */
  received(seq: number, at: number): void;
}

export type SideModel = ReturnType<typeof createSide>;

/** One side of the test page: its connection, its thread, and its frames. */
export function createSide(side: Side, deps: SideDeps) {
  const protocol = signal<ProtocolId>("native");
  const link = signal<LinkState>({ name: "idle" });
  const state = createSideState(side);
  const { lines, problem, latency, markedRead, missed, lastOfOthers } = state;

  let channel: AdapterConnection | null = null;
  let position: Position = { seq: 0, epoch: null, eventId: null };
  const sentAt = new Map<string, number>();
  const typing = createTypingSender((isTyping) => channel?.type?.(isTyping));

  async function http<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
    const credentials = await deps.credentials();
    const token = "token" in credentials ? credentials.token : credentials.sessionId;
    return await callLogged<T>(state.onFrame, method, path, { token, body });
  }

  function handlersOf(
    attempt: { ready(): void; ended: AdapterHandlers["ended"] },
    isOver: () => boolean,
  ): AdapterHandlers {
    const still = <A extends unknown[]>(fn: (...args: A) => void) => (...args: A) => {
      if (!isOver()) batch(() => fn(...args));
    };
    return {
      // The last frames of a connection belong to the log, too.
      frame: state.onFrame,
      ready: still(() => {
        attempt.ready();
        problem.value = null;
        flush();
      }),
      ended: still((end) => {
        attempt.ended(end);
        gone();
      }),
      message: still((message, late) => {
        if (state.onMessage(message, late)) deps.received(message.seq, performance.now());
      }),
      typing: still(state.onTyping),
      pointer: still(state.onPointer),
      person: still(state.onPerson),
      error: still((sentence) => problem.value = sentence),
    };
  }

  function gone() {
    channel = null;
    state.onEnded();
  }

  const connection = createLink({
    state: (next) => {
      link.value = next;
      if (next.name === "failed") problem.value = next.why;
    },
    open(attempt) {
      let own: AdapterConnection | null = null;
      let over = false;
      missed.value = 0;
      const begin = async () => {
        try {
          const { load } = protocolOf(protocol.value);
          const [adapter, conversationId] = await Promise.all([load(), deps.conversation()]);
          if (over) return;
          const { credentials, contextToken } = deps;
          const participant = { side, conversationId, position, credentials, contextToken, http };
          channel = own = adapter(participant, handlersOf(attempt, () => over));
        } catch (error) {
          if (!over) attempt.ended(endOf(error));
        }
      };
      void begin();
      return {
        close() {
          own?.close();
          over = true;
          gone();
        },
      };
    },
  });

  /** Sends waiting messages in order, again after a lost connection, with the same ids. */
  function flush() {
    sentAt.clear();
    for (const line of lines.value) if (line.state === "sending") void transmit(line);
  }

  async function transmit({ clientMessageId: id, content }: Line): Promise<void> {
    if (channel === null || connection.state.name !== "connected" || id === null) return;
    if (sentAt.has(id)) return;
    const at = performance.now();
    sentAt.set(id, at);
    try {
      const { seq } = await channel.send({ content, clientMessageId: id });
      batch(() => {
        lines.value = withStored(lines.value, id, seq);
        latency.value = { stored: performance.now() - at, received: null };
        deps.sent(seq, at);
      });
    } catch (error) {
      if (error instanceof ConnectionLost) return;
      lines.value = withState(lines.value, id, "failed", errorText(error));
    } finally {
      if (sentAt.get(id) === at) sentAt.delete(id);
    }
  }

  function listenToNetwork(): () => void {
    const ended = new AbortController();
    const { signal } = ended;
    addEventListener("offline", () => {
      if (["connected", "connecting", "waiting"].includes(link.value.name)) {
        connection.goOffline(true);
      }
    }, { signal });
    addEventListener("online", () => {
      if (link.value.name === "offline" && link.value.network) connection.comeBack();
    }, { signal });
    return () => ended.abort();
  }

  return {
    ...state,
    side,
    protocol,
    link,
    http,

    connect() {
      problem.value = null;
      connection.connect();
    },
    disconnect: () => connection.close(),
    goOffline: () => connection.goOffline(),
    comeBack: () => connection.comeBack(),
    /** Switches the protocol; a connected side connects again. */
    choose(next: ProtocolId) {
      const on = !["idle", "failed", "offline"].includes(link.value.name);
      if (on || link.value.name === "failed") connection.close();
      protocol.value = next;
      problem.value = null;
      if (on) connection.connect();
    },
    send(content: string) {
      typing.reset();
      const clientMessageId = newId();
      const createdAt = new Date().toISOString();
      lines.value = withPending(lines.value, { from: side, content, createdAt, clientMessageId });
      void transmit(lines.value.find((line) => line.clientMessageId === clientMessageId)!);
    },
    retry(line: Line) {
      lines.value = withState(lines.value, line.clientMessageId!, "sending", null);
      void transmit(line);
    },
    discard: (line: Line) => void (lines.value = withoutLine(lines.value, line.clientMessageId!)),
    typing: typing.typing,
    markRead() {
      channel?.read?.(lastOfOthers.value);
      markedRead.value = lastOfOthers.value;
    },
    clearFrames: () => void (state.frames.value = []),
    /** Resets everything for another conversation. */
    reset() {
      connection.close();
      position = { seq: 0, epoch: null, eventId: null };
      batch(state.reset);
    },
    /** Starts it in the browser; returns a function that ends it. */
    begin() {
      const unlisten = listenToNetwork();
      return () => {
        unlisten();
        connection.close();
      };
    },
  };
}
