/**
 * Clients that write one text at once over a bad network: the SDK's side and the server's as they
 * are, and between them queues that delay, drop, repeat and reorder. One seed is one course of it.
 */
import { type ServerEdit, SharedText } from "../../client/collaboration_text.ts";
import {
  accept,
  type AcceptedEdit,
  type DocumentLimits,
  documentOf,
  emptyDocument,
  textOf,
} from "../../domain/collaboration/document.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { lengthOf, type TextEdit, type TextOperation, toOperation } from "../../protocol/text.ts";
import { createRandom } from "../faults/random.ts";

interface Client {
  text: SharedText;
  connected: boolean;
  /** An answer of the server's was refused: it has to load the text anew. */
  isLost: boolean;
  toServer: { opId: number; version: number; edits: TextEdit[] }[];
  toClient: Incoming[];
  /** What an editor shows that follows `onChange` alone. */
  shown: string;
}

type Incoming =
  | { type: "edit"; edit: ServerEdit }
  | { type: "answer"; opId: number; version: number; count: number }
  | { type: "refused" };

const ALPHABET = ["a", "b", " ", "\n", "é", "e\u0301", "😀", "👩‍👩‍👧", "𝒳", "\u200fא"];
const author = { userId: "u", userName: "U", role: "agent" } as const;

export interface Course {
  clients: number;
  edits: number;
  /** How often something of the kind happened. */
  lost: number;
  resent: number;
  reloaded: number;
}

/**
 * One course: random edits and faults, then quiet until everything has arrived.
 *
 * @throws with the seed when a client shows another text than the server has, or an edit came twice.
 */
export function runCourse(seed: number): Course {
  const { int } = createRandom(seed);
  /** A whole number from 0 to below this. */
  const random = (below: number) => int(0, below - 1);
  const limits: DocumentLimits = {
    documentBytes: 1_000_000,
    editBytes: 65_536,
    operations: [4, 20, 1000][random(3)]!,
  };
  const course: Course = { clients: 2 + random(7), edits: 0, lost: 0, resent: 0, reloaded: 0 };
  let document = emptyDocument();
  const log: AcceptedEdit[] = [];
  const isDeleting = random(4) > 0;
  const clients = Array.from({ length: course.clients }, (_, i): Client => {
    const client: Client = {
      text: new SharedText(`c${i}`, {
        onChange(operation) {
          client.shown = applyTo(client.shown, operation);
        },
        onApplied() {},
      }),
      connected: true,
      isLost: false,
      toServer: [],
      toClient: [],
      shown: "",
    };
    return client;
  });
  let marks = 0;

  function write(client: Client): void {
    const { text } = client.text;
    const length = lengthOf(text);
    const position = random(length + 1);
    const removed = isDeleting ? random(Math.min(5, length - position) + 1) : 0;
    // A mark that nobody else writes, so that what is there twice is seen.
    const mark = random(3) === 0 ? String.fromCodePoint(0xf0000 + marks++) : "";
    const content = removed > 0 && random(2) === 0 ? "" : mark +
      Array.from({ length: 1 + random(4) }, () => ALPHABET[random(ALPHABET.length)]).join("");
    const edit: TextEdit = { operation: "replace", position, length: removed, content };
    client.text.change(toOperation(edit));
    client.shown = applyTo(client.shown, toOperation(edit));
    course.edits++;
  }

  function send(client: Client): void {
    if (!client.connected || client.isLost) return;
    const next = client.text.next();
    if (next === null) return;
    if (client.toServer.length > 0) course.resent++;
    client.toServer.push(next);
  }

  function take(client: Client): void {
    if (client.toServer.length === 0) return;
    const at = random(client.toServer.length);
    const sent = client.toServer[at]!;
    // A frame that the network repeats stays for another time.
    if (random(8) > 0) client.toServer.splice(at, 1);
    const { clientId } = client.text;
    try {
      const before = document.version;
      const { receipt, accepted } = accept(document, { ...sent, author, clientId }, limits);
      log.push(...accepted);
      if (document.version - before !== accepted.length) throw new Error("versions without edits");
      for (const edit of accepted) {
        for (const other of clients) {
          if (other !== client && other.connected) other.toClient.push({ type: "edit", edit });
        }
      }
      client.toClient.push({ type: "answer", opId: sent.opId, ...receipt });
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error;
      client.toClient.push({ type: "refused" });
    }
  }

  function deliver(client: Client, at: number): void {
    const message = client.toClient[at];
    if (message === undefined) return;
    if (random(8) > 0) client.toClient.splice(at, 1);
    if (client.isLost) return;
    if (message.type === "refused") client.isLost = true;
    else if (message.type === "edit") client.isLost = !client.text.receive(message.edit);
    else client.isLost = !client.text.acknowledge(message.opId, message);
  }

  function disconnect(client: Client): void {
    client.connected = false;
    course.lost++;
    client.toClient = [];
    // What was sent may arrive all the same, and late.
    if (random(2) === 0) client.toServer = [];
  }

  function join(client: Client): void {
    const { text } = client;
    client.connected = true;
    client.toClient = [];
    const missing = document.version - text.version;
    const lastOpId = document.clients.get(`${author.userId} ${text.clientId}`)?.opId ?? null;
    const knows = !client.isLost && missing >= 0 && missing <= limits.operations &&
      missing <= document.recent.length;
    client.isLost = false;
    if (!knows) {
      course.reloaded++;
      text.load(document.version, textOf(document), lastOpId);
      return;
    }
    if (missing === 0) return;
    for (const edit of document.recent.slice(-missing)) {
      client.isLost ||= !text.receive(edit);
    }
  }

  /** The server starts anew, with what it has stored. */
  function restart(): void {
    const { version, clients, recent } = document;
    const stored = documentOf(textOf(document), version, clients);
    document = { ...stored, recent: recent.slice(-random(10)) };
  }

  const steps = 20 + random(120);
  for (let i = 0; i < steps; i++) {
    const client = clients[random(clients.length)]!;
    const choice = random(20);
    if (choice < 6) write(client);
    else if (choice < 10) send(client);
    else if (choice < 13) take(client);
    else if (choice < 17) deliver(client, random(client.toClient.length));
    else if (choice === 17) disconnect(client);
    else if (choice === 18) {
      if (!client.connected || client.isLost) join(client);
    } else if (random(4) === 0) restart();
  }
  for (let rounds = 0;; rounds++) {
    if (rounds > 500) throw new Error(`Seed ${seed}: does not come to rest`);
    for (const client of clients) {
      if (
        !client.connected || client.isLost || client.text.hasGap && client.toClient.length === 0
      ) {
        join(client);
      }
      if (client.toServer.length === 0) send(client);
      while (client.toServer.length > 0) take(client);
    }
    for (const client of clients) while (client.toClient.length > 0) deliver(client, 0);
    const isQuiet = clients.every(({ text, isLost }) =>
      !isLost && text.isSettled && text.version === document.version
    );
    if (isQuiet) break;
  }
  check(seed, clients, textOf(document), log, isDeleting ? null : marks);
  return course;
}

function check(
  seed: number,
  clients: Client[],
  text: string,
  log: AcceptedEdit[],
  marks: number | null,
): void {
  for (const { text: { text: own, clientId }, shown } of clients) {
    if (own !== text || shown !== text) {
      throw new Error(
        `Seed ${seed}: ${clientId} has ${JSON.stringify(own)} and shows ${
          JSON.stringify(shown)
        }; ` +
          `the server has ${JSON.stringify(text)}`,
      );
    }
  }
  const found = [...text].filter((character) => character.codePointAt(0)! >= 0xf0000);
  if (new Set(found).size !== found.length) throw new Error(`Seed ${seed}: an edit came twice`);
  if (marks !== null && found.length !== marks) throw new Error(`Seed ${seed}: an edit is lost`);
  log.forEach(({ version }, i) => {
    if (version !== i + 1) throw new Error(`Seed ${seed}: version ${version} is out of order`);
  });
}

/** As an editor would do it, and not by the code that is tested. */
function applyTo(text: string, operation: TextOperation): string {
  let rest = [...text];
  const made: string[] = [];
  for (const part of operation) {
    if (typeof part === "string") made.push(part);
    else if (typeof part === "number") made.push(...rest.splice(0, part));
    else rest = rest.slice(part.d as number);
  }
  return made.join("") + rest.join("");
}
