/**
 * Connections that go on where they were cut. What was sent since the peer last confirmed something
 * is remembered as places in logs, not as messages. After a cut a stand-in stays in the rooms and
 * remembers the places of what passes; who comes back in time gets exactly these entries, read from
 * the log, and then everything live. Where that cannot be complete, nothing is recovered.
 */
import type { LoggedEvent } from "../protocol/native.ts";
import type { Principal } from "../domain/principal.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { ROOMS } from "./rooms.ts";
import type { TimerWheel } from "./timer_wheel.ts";
import type { SocketLike } from "./writer.ts";

/** One thing that was sent, as its receiver names it. */
export interface SentPlace {
  offset: string;
  conversationId: string;
  seq: number;
  /** False: it came although its conversation is not followed. */
  isFollowed: boolean;
  /** It stands in no log, so that nothing of it can be missed. */
  isMarker?: true;
}

export interface RecoveryOptions<P extends SentPlace> {
  hub: Hub;
  wheel: TimerWheel;
  /** Milliseconds that a cut connection may be away. */
  lastsMs: number;
  /** Milliseconds that one that comes back may take until it is authenticated. */
  returnMs: number;
  /** Cut connections that are remembered; past it the oldest is forgotten. */
  maxAway: number;
  /** Places that one may have missed; about twice as many are remembered. */
  maxPlaces: number;
  /** Bytes that one that comes back is sent at once. */
  maxBytes: number;
  /** The places in a text that was sent, in their order. */
  placesIn: (text: string) => P[];
  /** The entries of the logs, by "conversationId seq". */
  entries: (principal: Principal, places: P[]) => Promise<Map<string, LoggedEvent>>;
  /** A connection of that principal that is nobody's, for the hub's rooms. */
  standIn: (socket: SocketLike, principal: Principal) => Connection;
  now?: () => number;
}

/** What is sent first in every session: whoever has it has received nothing else yet. */
export const START = "0";

/** One client's connection, and what of it outlives a cut. */
export class RecoverySession<P extends SentPlace> {
  /** Up to where the connection has the log of each conversation that it follows, and since when. */
  readonly following = new Map<string, { from: number; at: number }>();
  /** Conversations that its client comes back to and that are not followed again yet. */
  readonly returning = new Map<string, number>();
  /** What its client knows it by. */
  name = "";
  state: "live" | "away" | "returning" | "ended" = "live";
  /** Of a session that is not live. */
  principal: Principal | null = null;
  standIn: Connection | null = null;
  /** What passed while it is being taken up again. */
  texts: string[] = [];
  bytes = 0;
  cancel = () => {};

  #confirmed = START;
  #places: P[] = [];
  #mark = 0;

  /**
   * @param id the secret by which its client finds it again
   * @param cut ends the transport of a live one whose client is elsewhere already
   */
  constructor(
    readonly id: string,
    private readonly options: Pick<RecoveryOptions<P>, "maxPlaces" | "placesIn">,
    public cut: () => void,
  ) {}

  /** Remembers a text that is being sent. */
  sent(text: string): void {
    for (const place of this.options.placesIn(text)) this.note(place);
  }

  /** The same of one place. */
  note(place: P): void {
    this.#places.push(place);
    const followed = this.following.get(place.conversationId);
    if (place.isFollowed && followed !== undefined && place.seq > followed.at) {
      followed.at = place.seq;
    }
    // Seldom, and then many at once.
    const excess = this.#places.length - this.options.maxPlaces;
    if (excess > this.options.maxPlaces) this.#forget(excess);
  }

  /** The peer answered a ping: what was sent before the one before it has arrived. */
  confirmed(): void {
    this.#forget(this.#mark);
    this.#mark = this.#places.length;
  }

  /** What was sent after that offset; undefined where that is not known any more. */
  after(offset: string): P[] | undefined {
    if (offset === this.#confirmed) return [...this.#places];
    const index = this.#places.findLastIndex((place) => place.offset === offset);
    return index < 0 ? undefined : this.#places.slice(index + 1);
  }

  /** How far its client has each conversation, when what was sent has arrived. */
  get rooms(): ReadonlyMap<string, number> {
    const following = [...this.following].map(([id, { at }]) => [id, at] as const);
    return new Map([...this.returning, ...following]);
  }

  #forget(count: number): void {
    if (count === 0) return;
    this.#confirmed = this.#places[count - 1]!.offset;
    this.#places = this.#places.slice(count);
    this.#mark = Math.max(0, this.#mark - count);
  }
}

export interface Recovery<P extends SentPlace> {
  open(id: string, cut: () => void): RecoverySession<P>;
  /** The transport of a live session is lost. Call before the connection is ended. */
  lost(session: RecoverySession<P>, connection: Connection): void;
  /** What a client missed that comes back; null where it cannot go on. */
  restore(
    id: string,
    offset: string,
  ): Promise<
    {
      session: RecoverySession<P>;
      missed: { place: P; event: LoggedEvent }[];
    } | null
  >;
  /** The new connection is authenticated and takes over. False: it has to be closed. */
  resume(session: RecoverySession<P>, connection: Connection): boolean;
  end(session: RecoverySession<P>): void;
  /** Ends those that are away of everybody for whom that is true. */
  forget(whose: (principal: Principal) => boolean): void;
  /** A conversation that was opened is followed by the visitor's cut connections, too. */
  opened(contactId: string, conversationId: string): void;
  close(): void;
}

/** Rooms that bring entries of logs. */
function isLog(room: string): boolean {
  return room === ROOMS.messages || ROOMS.conversationOf(room) !== null;
}

export function createRecovery<P extends SentPlace>(options: RecoveryOptions<P>): Recovery<P> {
  const { hub, wheel, now = Date.now } = options;
  /** All but those that ended, by id; the ones that are away in the order of going. */
  const sessions = new Map<string, RecoverySession<P>>();
  const away = new Set<RecoverySession<P>>();

  function end(session: RecoverySession<P>): void {
    if (session.state === "ended") return;
    session.state = "ended";
    session.cancel();
    session.standIn?.end();
    session.standIn = null;
    session.texts = [];
    away.delete(session);
    if (sessions.get(session.id) === session) sessions.delete(session.id);
  }

  function startStandIn(session: RecoverySession<P>, principal: Principal): Connection {
    const socket: SocketLike = {
      readyState: 1,
      bufferedAmount: 0,
      close() {},
      send(text) {
        if (session.state === "away") {
          session.sent(text);
          return;
        }
        session.texts.push(text);
        session.bytes += text.length;
        if (session.bytes > options.maxBytes) end(session);
      },
    };
    const standIn = options.standIn(socket, principal);
    standIn.cleanups.push(() => {
      for (const room of [...standIn.rooms]) hub.leave(standIn, room);
    });
    return standIn;
  }

  /** Nobody takes it up in that time: it is over. */
  function endAfter(session: RecoverySession<P>, ms: number): void {
    session.cancel();
    session.cancel = wheel.after(ms, () => end(session));
  }

  return {
    end,

    open(id, cut) {
      const session = new RecoverySession(id, options, cut);
      sessions.set(id, session);
      return session;
    },

    lost(session, connection) {
      if (session.state === "ended") return;
      const principal = session.principal ?? connection.principal;
      // One that the server ended, or that nobody was behind.
      if (connection.isOver || principal === null || options.lastsMs === 0) return end(session);
      if (session.state === "live") {
        const standIn = startStandIn(session, principal);
        session.principal = principal;
        session.standIn = standIn;
        // What waits in a room is sent to the old connection first, which remembers it.
        for (const room of connection.rooms) if (isLog(room)) hub.join(standIn, room);
        connection.writer.pump();
        // One that is just being joined again has nobody in its room who would remember.
        const isComplete = [...session.following.keys()].every((conversationId) =>
          connection.rooms.has(ROOMS.conversation(conversationId))
        );
        if (connection.isOver || !isComplete) return end(session);
      }
      session.state = "away";
      for (const text of session.texts.splice(0)) session.sent(text);
      session.bytes = 0;
      session.cut = () => {};
      away.add(session);
      endAfter(session, options.lastsMs);
      if (away.size > options.maxAway) end(away.values().next().value!);
    },

    async restore(id, offset) {
      const session = sessions.get(id);
      // Its client noticed the cut before the server did.
      if (session?.state === "live") session.cut();
      if (session === undefined || session.state === "ended") return null;
      const principal = session.principal!;
      const missed = session.after(offset)?.filter(({ isMarker }) => isMarker === undefined);
      const expired = principal.expiresAt !== null && principal.expiresAt <= now();
      const tooMany = (missed?.length ?? Infinity) > options.maxPlaces;
      if (session.state === "returning" || missed === undefined || tooMany || expired) {
        end(session);
        return null;
      }
      session.state = "returning";
      away.delete(session);
      endAfter(session, options.returnMs);
      try {
        const entries = await options.entries(principal, missed);
        const events = missed.flatMap((place) => {
          const event = entries.get(`${place.conversationId} ${place.seq}`);
          return event === undefined ? [] : [{ place, event }];
        });
        if (events.length === missed.length && hasState(session, "returning")) {
          return { session, missed: events };
        }
      } catch (error) {
        end(session);
        throw error;
      }
      end(session);
      return null;
    },

    resume(session, connection) {
      const { standIn } = session;
      if (session.state !== "returning" || standIn === null) return false;
      session.cancel();
      // Nothing may be between what the stand-in has and what the connection gets.
      hub.flushAll();
      if (!hasState(session, "returning")) return false;
      session.state = "live";
      session.principal = null;
      session.standIn = null;
      session.bytes = 0;
      for (const text of session.texts.splice(0)) connection.send(text);
      for (const room of standIn.rooms) hub.join(connection, room);
      standIn.end();
      return true;
    },

    forget(whose) {
      for (const session of [...sessions.values()]) {
        if (session.principal !== null && whose(session.principal)) end(session);
      }
    },

    opened(contactId, conversationId) {
      for (const { principal, standIn } of sessions.values()) {
        if (standIn === null || principal?.userId !== contactId) continue;
        if (principal.kind === "visitor") hub.join(standIn, ROOMS.conversation(conversationId));
      }
    },

    close() {
      for (const session of [...sessions.values()]) end(session);
    },
  };
}

/** Read anew: other code may have ended it meanwhile. */
function hasState({ state }: { state: string }, expected: string): boolean {
  return state === expected;
}
