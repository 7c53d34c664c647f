/** What of one client's connection outlives an interruption. */
import type { Principal } from "../domain/principal.ts";
import type { Connection } from "./connection.ts";

/** The position in a log of one packet that was sent. */
export interface SentPosition {
  /** The packet's name, as the client sends it back. */
  offset: string;
  conversationId: string;
  seq: number;
  /** False: it was delivered although the connection does not follow its conversation. */
  isFollowed: boolean;
  /** It is not in a log, so it does not have to be sent again. */
  isMarker?: true;
}

/**
 * The offset of the first packet of every connection: a client that has it received nothing else.
 */
export const START = "0";

/**
 * "live": it has a connection. "suspended": interrupted. "resuming": the client is reconnecting.
 */
export type RecoveryPhase = "live" | "suspended" | "resuming" | "ended";

export interface RecoveryStateOptions<P extends SentPosition> {
  /** Positions that a client may have missed; about twice as many are kept. */
  maxPositions: number;
  /** The positions of the packets in a text that was sent, in order. */
  positionsIn: (text: string) => P[];
}

export class RecoveryState<P extends SentPosition> {
  /**
   * Each conversation that the connection follows: the `seq` from where on, and the last one sent.
   */
  readonly following = new Map<string, { from: number; at: number }>();
  /** Conversations that the client followed before, and that are not followed again yet. */
  readonly pendingRejoins = new Map<string, number>();
  /** The id by which the client knows its connection. */
  name = "";
  phase: RecoveryPhase = "live";
  /** Null while the state is live. */
  principal: Principal | null = null;
  /** Stays in the rooms while the client is away, and records what is broadcast. */
  recorder: Connection | null = null;
  /** Texts that were recorded while the client is resuming, and their length. */
  texts: string[] = [];
  bytes = 0;
  cancelTimeout = () => {};

  #confirmed = START;
  #positions: P[] = [];
  /** How many positions there were at the last confirmation. */
  #mark = 0;

  /**
   * @param id the secret by which its client finds it again
   * @param disconnect ends the transport of a live one whose client has reconnected already
   */
  constructor(
    readonly id: string,
    private readonly options: RecoveryStateOptions<P>,
    public disconnect: () => void,
  ) {}

  /** Keeps the positions of a text that is being sent. */
  textSent(text: string): void {
    for (const position of this.options.positionsIn(text)) this.positionSent(position);
  }

  /** Keeps one position. */
  positionSent(position: P): void {
    this.#positions.push(position);
    const followed = this.following.get(position.conversationId);
    if (position.isFollowed && followed !== undefined && position.seq > followed.at) {
      followed.at = position.seq;
    }
    // Rarely, and then many at once.
    const excess = this.#positions.length - this.options.maxPositions;
    if (excess > this.options.maxPositions) this.#discard(excess);
  }

  /** The peer answered a ping, so what was sent before the ping before that one has arrived. */
  confirmed(): void {
    this.#discard(this.#mark);
    this.#mark = this.#positions.length;
  }

  /** What was sent after that offset; undefined if that is not known any more. */
  after(offset: string): P[] | undefined {
    if (offset === this.#confirmed) return [...this.#positions];
    const index = this.#positions.findLastIndex((position) => position.offset === offset);
    return index < 0 ? undefined : this.#positions.slice(index + 1);
  }

  /** The last `seq` of each conversation that the client has once everything sent has arrived. */
  get rooms(): ReadonlyMap<string, number> {
    const following = [...this.following].map(([id, { at }]) => [id, at] as const);
    return new Map([...this.pendingRejoins, ...following]);
  }

  #discard(count: number): void {
    if (count === 0) return;
    this.#confirmed = this.#positions[count - 1]!.offset;
    this.#positions = this.#positions.slice(count);
    this.#mark = Math.max(0, this.#mark - count);
  }
}
