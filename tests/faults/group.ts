/** Nodes of one installation with people of every protocol on them, and what must hold of both. */
import type { Conversation, Message, Presence } from "../../protocol/model.ts";
import { call, login, openSession, widgetKey } from "../support/http.ts";
import { enter, mint } from "../protocols/scoped_peer.ts";
import type { TestServer } from "../support/server.ts";
import { connect } from "../support/socket.ts";
import { type Kind, Member, type Seat } from "./crew.ts";
import { chatJson, native, scoped, topics } from "./crew_json.ts";
import { SOCKET_IO_KINDS } from "./crew_socket_io.ts";
import { eventually } from "./health.ts";
import type { Reaper } from "./reaper.ts";
import { type ServerProcess, startServerProcess, UNLIMITED } from "./server_process.ts";

export const KINDS: Kind[] = [native, chatJson, scoped, topics, ...SOCKET_IO_KINDS];

const TOKEN_S = 3600;
/** How long a new node may take to start on a machine that is busy. */
const WELL_MS = 40_000;

export interface Group {
  /** Such as "postgres, 3 nodes". */
  readonly name: string;
  readonly nodes: ServerProcess[];
  readonly members: Member[];
  readonly conversations: string[];
  /** Nodes that were frozen or ended on purpose. */
  readonly excused: Set<ServerProcess>;
  close(): Promise<void>;
}

export interface GroupOptions {
  name: string;
  nodes: number;
  /** Without DATABASE_URL the engine is the embedded one. */
  env: Record<string, string>;
  reaper: Reaper;
  kinds?: Kind[];
  /** Milliseconds between an acknowledgement and the next message of the same person. */
  everyMs: number;
  openFiles?: number;
  /** What else ends with it. */
  end?: () => Promise<void>;
}

async function seatVisitor(
  url: string,
  kind: Kind,
  admin: string,
  key: string,
): Promise<Omit<Seat, "url">> {
  const role = "visitor";
  if (kind.visitors === "session") {
    const { sessionId, contact } = await openSession({ url }, key);
    const { body } = await call<Conversation>({ url }, "POST", "/api/conversations", {
      token: sessionId,
      body: {},
    });
    return { role, userId: contact.id, conversationId: body.id, credentials: { sessionId } };
  }
  const contextId = `faults_${crypto.randomUUID()}`;
  const body = { userId: crypto.randomUUID(), userName: "Grace", expiresIn: TOKEN_S };
  const { token, contactId } = await mint({ url } as TestServer, admin, contextId, body);
  // Its conversation is made when somebody comes.
  const first = await enter({ url }, token, contextId);
  const { conversationId } = first.me;
  await first.close();
  return {
    role,
    userId: contactId,
    conversationId,
    credentials: { token },
    contextId,
  };
}

/** Starts the nodes, and seats a visitor of every protocol with an agent of the next one. */
export async function openGroup(options: GroupOptions): Promise<Group> {
  const { name, reaper, kinds = KINDS, everyMs, openFiles } = options;
  const nodes: ServerProcess[] = [];
  const members: Member[] = [];
  const conversations: string[] = [];
  const env = {
    ...UNLIMITED,
    JWT_SECRET: "the same secret on every node of a test",
    ACCESS_TOKEN_MS: "7200000",
    PRESENCE_GRACE_MS: "500",
    NODE_TIMEOUT_MS: "2000",
    ...options.env,
  };
  const group: Group = {
    name,
    nodes,
    members,
    conversations,
    excused: new Set(),
    async close() {
      // A frozen one ends too.
      for (const node of nodes) node.signal("SIGKILL");
      await Promise.all(members.map((member) => member.stop()));
      await Promise.all(nodes.map((node) => node.close()));
      await options.end?.();
    },
  };
  try {
    for (let i = 0; i < options.nodes; i++) {
      const node = await startServerProcess("pglite", env, { openFiles });
      nodes.push(node);
      await reaper.guard(node.pid);
    }
    const { url } = nodes[0]!;
    const { token, user } = await login({ url });
    const key = await widgetKey({ url }, token);
    for (const [i, kind] of kinds.entries()) {
      const nodeOf = (n: number) => nodes[n % nodes.length]!.url;
      const visitor = { url: nodeOf(i), ...await seatVisitor(url, kind, token, key) };
      const { conversationId } = visitor;
      conversations.push(conversationId);
      const other = kinds[(i + 1) % kinds.length]!;
      const agent: Seat = {
        url: nodeOf(i + 1),
        role: "agent",
        userId: user.id,
        conversationId,
        credentials: { token },
      };
      members.push(new Member(kind, visitor, i), new Member(other, agent, i));
    }
    for (const member of members) member.start(everyMs);
    await Promise.all(
      members.map((member) => member.until(() => member.acked.length > 0, "a start", WELL_MS)),
    );
  } catch (error) {
    await group.close();
    throw error;
  }
  return group;
}

/** Everything that is stored of a conversation, oldest first. */
async function historyOf(url: string, token: string, id: string): Promise<Message[]> {
  const all: Message[] = [];
  for (let after = 0;;) {
    const path = `/api/conversations/${id}/messages?limit=100&after=${after}`;
    const { body } = await call<{ items: Message[]; nextCursor: string | null }>(
      { url },
      "GET",
      path,
      { token },
    );
    all.push(...body.items);
    if (body.nextCursor === null) return all;
    after = Number(body.nextCursor);
  }
}

export interface Verdict {
  acknowledged: number;
  lost: number;
  doubled: number;
  /** What is not as it has to be, in sentences. */
  wrong: string[];
}

/**
 * Compares what is stored with what was acknowledged and with what everybody heard. Nobody may be
 * writing.
 */
export async function judge(group: Group): Promise<Verdict> {
  const verdict: Verdict = { acknowledged: 0, lost: 0, doubled: 0, wrong: [] };
  const { url } = group.nodes[0]!;
  const { token } = await login({ url });
  for (const conversationId of group.conversations) {
    // Lines of the history, such as who took the conversation, are not what members record.
    const stored = (await historyOf(url, token, conversationId))
      .filter(({ type }) => type === "text");
    const contents = stored.map(({ content }) => content);
    const people = group.members.filter(({ seat }) => seat.conversationId === conversationId);
    for (const { name, acked } of people) {
      verdict.acknowledged += acked.length;
      const own = contents.filter((content) => content.startsWith(`${name}: `));
      const twice = own.filter((content, i) => own.indexOf(content) !== i);
      const gone = acked.filter(({ content }) => !own.includes(content));
      verdict.doubled += twice.length;
      verdict.lost += gone.length;
      if (twice.length > 0) verdict.wrong.push(`${name}: stored twice: ${twice}`);
      if (gone.length > 0) {
        verdict.wrong.push(`${name}: lost: ${gone.map(({ content }) => content)}`);
      }
      const numbers = own.map((content) => Number(content.slice(name.length + 2)));
      if (numbers.some((number, i) => i > 0 && number <= numbers[i - 1]!)) {
        verdict.wrong.push(`${name}: out of order: ${numbers}`);
      }
    }
    for (const member of people) {
      const first = member.heard[0]?.seq ?? Infinity;
      const expected = stored.filter(({ seq }) => seq >= first);
      // The connection lives on, so what comes last may still be under way.
      const heard = await eventually(
        () => JSON.stringify(member.heard.map(({ content }) => content)),
        (text) => text === JSON.stringify(expected.map(({ content }) => content)),
        10_000,
      );
      if (heard === JSON.stringify(expected.map(({ content }) => content))) continue;
      const had = member.heard.map(({ content }) => content);
      const missed = expected.filter(({ content }) => !had.includes(content));
      const twice = had.filter((content, i) => had.indexOf(content) !== i);
      verdict.wrong.push(
        `${member.name} heard ${had.length} of ${expected.length}, missed ${
          missed.slice(0, 5).map(({ seq, content }) => `${seq} "${content}"`)
        }, twice ${twice.slice(0, 5)}`,
      );
      // What comes next is judged by itself.
      member.heard.splice(0, Infinity, ...expected.map(({ seq, content }) => ({ seq, content })));
    }
  }
  for (const member of group.members) {
    // Who was told to come back may be on the way.
    await member.until(() => member.isConnected, "a connection", 10_000)
      .catch((error: Error) => void verdict.wrong.push(error.message));
    verdict.wrong.push(...member.violations.splice(0).map((one) => `${member.name}: ${one}`));
  }
  for (const node of group.nodes) {
    const wrong = await eventually(
      () => seenFrom(group, node.url, token),
      (sentences) => sentences.length === 0,
      10_000,
      250,
    );
    verdict.wrong.push(...wrong);
  }
  return verdict;
}

/** The list, the unread counts and who is there, as one node tells them, against the others. */
async function seenFrom(group: Group, url: string, token: string): Promise<string[]> {
  const wrong: string[] = [];
  const socket = await connect({ url }, { token }).catch((error) => error as Error);
  if (socket instanceof Error) return [`cannot connect to ${url}: ${socket.message}`];
  try {
    const { presence } = await socket.ack("presence_list", {}) as { presence: Presence[] };
    const there = new Set(
      presence.filter(({ status }) => status !== "offline").map(({ userId }) => userId),
    );
    for (const { name, seat } of group.members) {
      if (!there.has(seat.userId)) wrong.push(`${name} is not there, as ${url} says`);
    }
    const { body } = await call<{ items: Conversation[] }>(
      { url },
      "GET",
      "/api/conversations?limit=100",
      { token },
    );
    for (const id of group.conversations) {
      const row = body.items.find((one) => one.id === id);
      const stored = await historyOf(url, token, id);
      // A reply that takes its conversation adds a line of activity, which no list shows.
      const last = stored.findLast(({ type }) => type !== "activity");
      if (row?.lastMessage?.seq !== last?.seq) {
        wrong.push(`the list of ${url} has ${row?.lastMessage?.seq}, not ${last?.seq}`);
      }
      const unread = stored.filter(({ seq, sender }) =>
        sender.role === "visitor" && seq > (row?.pointers.agentReadSeq ?? 0)
      ).length;
      if (row?.unread !== unread) {
        wrong.push(`${url} counts ${row?.unread} unread of ${id}, not ${unread}`);
      }
    }
  } finally {
    await socket.close();
  }
  return wrong;
}
