/**
 * Editors of one document that keep no text: the next edit only depends on the cursor in the last
 * version. Like a real client, each has one command under way at a time.
 */
import type { Acks } from "../../protocol/native.ts";
import type { DocumentEdit } from "../../protocol/collaboration.ts";
import { createRandom } from "../../tests/faults/random.ts";
import { conversationOf } from "./databases.ts";
import type { BenchServer } from "./processes.ts";
import { type Peer, RawClients, textFrame, textOf } from "./raw_clients.ts";

/** Milliseconds between two edits of one editor; random each time, so that some coincide. */
const EVERY = { min: 100, max: 300 };
/** One of them is not a single UTF-16 code unit. */
const CHARACTERS = [..."etaoin shrdlu etaoin shrdlu cmfwyp vbgkjq etaoin shrdlu🙂"];
const DELETIONS = 0.4;
/** Code points of the initial text that one command inserts, so that it fits a frame. */
const CHUNK = 15_000;
/** How long a server that cannot keep up may take to finish, in milliseconds. */
const SETTLE_MS = 120_000;
const NEWLINE = 10;
const VERSION = '"version":';
const NO_ID = "00000000-0000-4000-9000-000000000000";

interface Editor {
  index: number;
  peer: Peer;
  random: ReturnType<typeof createRandom>;
  due: number;
  cursor: number;
  /** All versions up to this one have arrived. */
  seen: number;
  /** The newest version that arrived as an event. */
  last: number;
  /** How often each version arrived, as an event or in an acknowledgement. */
  had: number[];
  /** When each of its commands was due. */
  sentAt: number[];
  underWay: boolean;
  /** When the commands were due that wait for the previous acknowledgement. */
  held: number[];
}

/** The change of one version. */
interface Step {
  author: number;
  /** When it was due; null: it belongs to the initial text, and its time is not measured. */
  at: number | null;
  position: number;
  removed: number;
  content: string;
}

type Edit =
  & { position: number }
  & (
    | { operation: "insert"; content: string }
    | { operation: "delete"; length: number }
  );

/**
 * `parley`: they join one document on `/realtime`. `plain`: the server relays each message to the
 * others unchanged; it has the form and length of Parley's events, and versions by the order of
 * sending.
 */
export class Editors {
  /** Milliseconds from due to arrival at each of the others, and to the acknowledgement. */
  arrivals: number[] = [];
  acks: number[] = [];
  /** Commands so far. */
  edits = 0;
  outOfOrder = 0;
  readonly clients = new RawClients((peer, buffer, start, end) => {
    for (let at = start; at < end;) {
      // Only in this frame: the buffer is longer and has old data after it.
      const newline = buffer.subarray(at, end).indexOf(NEWLINE);
      const stop = newline < 0 ? end : at + newline;
      this.#onLine(peer, textOf(buffer, at, stop));
      at = stop + 1;
    }
  });
  readonly #isPlain: boolean;
  readonly #editors: Editor[] = [];
  readonly #steps: (Step | undefined)[] = [];
  #newest = 0;
  #joined = 0;
  #documentId = NO_ID;
  /** The text that the last editor received. */
  #content: string | null = null;

  /** @param token an agent's; null: `plain` */
  constructor(readonly server: BenchServer, readonly token: string | null, count: number) {
    this.#isPlain = token === null;
    for (let i = 0; i < count; i++) {
      this.#connect();
      this.clients.until(() => this.#joined > i, "an editor to join");
    }
  }

  /** The first editor writes the initial text. */
  fill(text: string): void {
    const [first] = this.#editors as [Editor];
    const characters = [...text];
    for (let at = 0; at < characters.length; at += CHUNK) {
      const content = characters.slice(at, at + CHUNK).join("");
      this.#write(first, { operation: "insert", position: at, content }, null);
      this.clients.until(() => this.#isSettled(), "the first text");
    }
    for (const editor of this.#editors) editor.cursor = editor.random.int(0, characters.length);
  }

  /** All of them write for a time; returns when every editor has received everything. */
  run(seconds: number): void {
    const start = performance.now();
    for (const editor of this.#editors) editor.due = start + editor.random.int(0, EVERY.max);
    for (;;) {
      const editor = this.#editors.reduce((next, one) => one.due < next.due ? one : next);
      if (editor.due > start + seconds * 1000) break;
      // At least once, so that a generator that is late keeps reading.
      do this.clients.poll(Math.max(0, Math.ceil(editor.due - performance.now()))); while (
        performance.now() < editor.due
      );
      editor.held.push(performance.now());
      editor.due += editor.random.int(EVERY.min, EVERY.max);
      this.#next(editor);
    }
    this.clients.until(() => this.#isSettled(), "all edits to arrive everywhere", SETTLE_MS);
  }

  /** Checks every version at every editor. */
  check(): { missing: number; doubled: number } {
    let missing = 0;
    let doubled = 0;
    for (const { had } of this.#editors) {
      for (let version = 1; version <= this.#newest; version++) {
        const times = had[version] ?? 0;
        if (times === 0) missing++;
        else if (times > 1) doubled++;
      }
    }
    return { missing, doubled };
  }

  /** Whether all versions applied in order are the text that the server gives a new editor. */
  isSameText(): boolean {
    const made: string[] = [];
    for (let version = 1; version <= this.#newest; version++) {
      const { position, removed, content } = this.#steps[version]!;
      made.splice(position, removed, ...content);
    }
    this.#connect();
    this.clients.until(() => this.#joined === this.#editors.length, "a last editor to join");
    return this.#content === made.join("");
  }

  #connect(): void {
    const index = this.#editors.length;
    const peer = this.#isPlain
      ? this.clients.connect(this.server.port, "/")
      : this.clients.connect(this.server.port, "/realtime", [
        "parley.v1",
        `parley.token.${this.token}`,
      ]);
    this.#editors.push({
      index,
      peer,
      random: createRandom(index + 1),
      due: 0,
      cursor: 0,
      seen: 0,
      last: 0,
      had: [],
      sentAt: [0],
      underWay: false,
      held: [],
    });
    if (!this.#isPlain) return;
    this.clients.until(() => peer.open, "an upgrade");
    this.#joined++;
  }

  #next(editor: Editor): void {
    if (editor.underWay || editor.held.length === 0) return;
    this.#advance(editor);
    const { cursor, random } = editor;
    const edit: Edit = cursor > 0 && random.number() < DELETIONS
      ? { operation: "delete", position: cursor - 1, length: 1 }
      : { operation: "insert", position: cursor, content: random.pick(CHARACTERS) };
    this.#write(editor, edit, editor.held.shift()!);
    this.edits++;
  }

  #write(editor: Editor, edit: Edit, at: number | null): void {
    const { index, seen, sentAt } = editor;
    const opId = sentAt.push(at ?? NaN) - 1;
    const ids = { clientId: `e${index}`, opId };
    if (this.#isPlain) {
      const version = ++this.#newest;
      const author = { userId: NO_ID, userName: "bench", role: "agent" };
      const data = { ...edit, documentId: NO_ID, sessionId: null, version, author, ...ids };
      const event = { type: "edit", timestamp: new Date().toISOString(), data };
      this.#steps[version] = this.#toStep(data as DocumentEdit);
      this.clients.sendFrame(editor.peer, textFrame(JSON.stringify(event)));
      this.#count(editor, version);
      return;
    }
    editor.underWay = true;
    const data = { documentId: this.#documentId, version: seen, ...edit, opId };
    this.clients.sendFrame(
      editor.peer,
      textFrame(JSON.stringify({ type: "edit", id: opId, data })),
    );
  }

  #onLine(peer: Peer, line: string): void {
    const editor = this.#editors[peer.id]!;
    if (line.startsWith('{"type":"edit"')) this.#onEdit(editor, line);
    else if (line.startsWith('{"type":"ack"')) this.#onAck(editor, JSON.parse(line));
    else if (line.startsWith('{"type":"error"')) throw new Error(line);
  }

  /** Every event is counted; of each version one is parsed. */
  #onEdit(editor: Editor, line: string): void {
    const at = line.indexOf(VERSION) + VERSION.length;
    const version = parseInt(line.slice(at, at + 12));
    const step = this.#steps[version] ??= this.#toStep(JSON.parse(line).data);
    if (step.at !== null) this.arrivals.push(performance.now() - step.at);
    if (version <= editor.last) this.outOfOrder++;
    editor.last = version;
    this.#count(editor, version);
  }

  #onAck(editor: Editor, { id, data }: { id: unknown; data: unknown }): void {
    if (id === "auth") {
      const known = { conversationId: conversationOf(0), clientId: `e${editor.index}` };
      this.clients.send(
        editor.peer,
        JSON.stringify({ type: "join_session", id: "join", data: known }),
      );
    } else if (id === "join") {
      const { documentId, version, content } = data as Acks["join_session"];
      this.#documentId = documentId;
      this.#content = content;
      editor.seen = version;
      this.#joined++;
    } else {
      const { version, count } = data as Acks["edit"];
      const at = editor.sentAt[id as number]!;
      if (!Number.isNaN(at)) this.acks.push(performance.now() - at);
      for (let own = version - count + 1; own <= version; own++) this.#count(editor, own);
      editor.underWay = false;
      this.#next(editor);
    }
  }

  #count(editor: Editor, version: number): void {
    editor.had[version] = (editor.had[version] ?? 0) + 1;
    this.#newest = Math.max(this.#newest, version);
    this.#advance(editor);
  }

  /** Its cursor moves with text before it, and is after the text that it wrote itself. */
  #advance(editor: Editor): void {
    for (;;) {
      const next = editor.seen + 1;
      const step = editor.had[next] === undefined ? undefined : this.#steps[next];
      if (step === undefined) return;
      editor.seen = next;
      const { author, position, removed, content } = step;
      const isBefore = position < editor.cursor ||
        position === editor.cursor && author === editor.index;
      if (!isBefore) continue;
      editor.cursor = Math.max(position, editor.cursor - removed) + [...content].length;
    }
  }

  #toStep(edit: DocumentEdit): Step {
    const author = Number(edit.clientId.slice(1));
    const at = this.#editors[author]!.sentAt[edit.opId!]!;
    return {
      author,
      at: Number.isNaN(at) ? null : at,
      position: edit.position,
      removed: "length" in edit ? edit.length : 0,
      content: "content" in edit ? edit.content : "",
    };
  }

  #isSettled(): boolean {
    return this.#editors.every((editor) => {
      this.#advance(editor);
      return !editor.underWay && editor.held.length === 0 && editor.seen === this.#newest;
    });
  }
}
