/**
 * Every protocol with every other in one conversation: what A does arrives at B in B's words, and
 * what B misses is there, once and in order, when B is back. Where B's document has no event for
 * something, the table of the kinds says so (`hears` in peers_json.ts and peers_socket_io.ts), and
 * B must hear nothing that its document does not have.
 */
import assert from "node:assert/strict";
import { call, keepUnassigned, login, openSession, widgetKey } from "../support/http.ts";
import { ADMIN, onBothEngines, type TestServer } from "../support/server.ts";
import { type Heard, type Peer, type PeerKind, type Role, type Seat } from "./peers.ts";
import { JSON_PEERS, native } from "./peers_json.ts";
import { SOCKET_IO_PEERS } from "./peers_socket_io.ts";
import { enter, mint } from "./scoped_peer.ts";

/** Pairs that talk at the same time. */
const AT_ONCE = 4;
const KINDS: PeerKind[] = [...JSON_PEERS, ...SOCKET_IO_PEERS];

interface House {
  server: TestServer;
  admin: string;
  key: string;
  /** Agents, each for one pair at a time: who is there is told by person. */
  agents: { userId: string; token: string }[];
  /** Sees everybody come and go. */
  observer: Peer;
}

async function openHouse(server: TestServer): Promise<House> {
  const { token } = await login(server);
  await keepUnassigned(server, token);
  const agents = await Promise.all(Array.from({ length: AT_ONCE }, async (_, i) => {
    const [email, { password }] = [`agent${i}@example.com`, ADMIN];
    const body = { email, password, name: email, role: "agent" };
    await call(server, "POST", "/api/users", { token, body });
    const signedIn = await login(server, { email, password });
    return { userId: signedIn.user.id, token: signedIn.token };
  }));
  const key = await widgetKey(server, token);
  const { sessionId } = await openSession(server, key);
  const { body } = await call<{ id: string }>(server, "POST", "/api/conversations", {
    token: sessionId,
    body: {},
  });
  const observer = await native.open({
    server,
    role: "agent",
    userId: "",
    conversationId: body.id,
    credentials: { token },
  });
  return { server, admin: token, key, agents, observer };
}

/** They have left for everybody, and coming again will be news. */
async function gone({ observer }: House, userId: string): Promise<void> {
  // The answer comes behind everything that the observer was told, as of a short absence before.
  await observer.read?.();
  const last = () =>
    observer.heard.findLast((one) => one.kind === "presence" && one.from === userId);
  await observer.until(() => {
    const known = last();
    return known?.kind === "presence" && !known.online;
  }, "somebody's going");
}

/** A visitor of the kind that the protocol has, in a conversation of their own. */
async function seatVisitor(house: House, kind: PeerKind): Promise<Seat> {
  const { server, admin, key } = house;
  const role = "visitor";
  if (kind.visitors === "participant") {
    const contextId = `matrix_${crypto.randomUUID()}`;
    const body = { userId: crypto.randomUUID(), userName: "Grace" };
    const { token, contactId } = await mint(server, admin, contextId, body);
    const first = await enter(server, token, contextId);
    const { conversationId } = first.me;
    await first.close();
    await gone(house, contactId);
    return { server, role, userId: contactId, conversationId, credentials: { token }, contextId };
  }
  const { sessionId, contact } = await openSession(server, key);
  const { body } = await call<{ id: string }>(server, "POST", "/api/conversations", {
    token: sessionId,
    body: {},
  });
  return { server, role, userId: contact.id, conversationId: body.id, credentials: { sessionId } };
}

/** What B heard A say, as often and in the order in which it did. */
function said(b: Peer, from: string): string[] {
  return b.heard.flatMap((one) => one.kind === "message" && one.from === from ? [one.content] : []);
}

interface Pair {
  a: PeerKind;
  b: PeerKind;
  aIs: Role;
}

/** Seats the two, lets them talk, and sees them off. */
async function talk(house: House, agent: House["agents"][number], pair: Pair): Promise<void> {
  const visitor = await seatVisitor(house, pair.aIs === "visitor" ? pair.a : pair.b);
  const { server, conversationId } = visitor;
  const { userId, token } = agent;
  const other: Seat = { server, role: "agent", userId, conversationId, credentials: { token } };
  const [seatA, seatB] = pair.aIs === "visitor" ? [visitor, other] : [other, visitor];
  const open: Peer[] = [];
  try {
    const b = await pair.b.open(seatB);
    open.push(b);
    const a = await pair.a.open(seatA);
    open.push(a);
    await exchange(a, b, pair, seatA.userId);
  } finally {
    await Promise.all(open.map((peer) => peer.goAway()));
    await Promise.all([seatA, seatB].map((seat) => gone(house, seat.userId)));
  }
}

/** @param idA A's user id */
async function exchange(a: Peer, b: Peer, pair: Pair, idA: string): Promise<void> {
  const { hears } = pair.b;
  const hearsPresence = hears.presence === "person" ||
    hears.presence === "room" && pair.a.joins(pair.aIs);
  const isA = ({ from }: { from: string }) => from === idA;
  const untilB = (what: string, fits: (heard: Heard) => boolean, after?: number) =>
    b.until(fits, `${what} of ${pair.a.name}`, after);
  if (hearsPresence) {
    await untilB("coming", (one) => one.kind === "presence" && isA(one) && one.online);
  }

  await a.say("hello");
  await untilB("a message", (one) => one.kind === "message" && one.content === "hello");
  if (a.type !== undefined) {
    for (const isTyping of [true, false]) {
      const after = b.heard.length;
      await a.type(isTyping);
      if (!hears.typing) continue;
      await untilB(
        `typing ${isTyping}`,
        (one) => one.kind === "typing" && isA(one) && one.isTyping === isTyping,
        after,
      );
    }
  }
  await b.say("answer");
  await a.until((one) => one.kind === "message" && one.content === "answer", "the answer");
  const unread = b.heard.length;
  await a.read?.();
  if (a.read !== undefined && hears.read) {
    await untilB("reading", (one) => one.kind === "read" && isA(one), unread);
  }

  await b.goAway();
  for (const content of ["missed 1", "missed 2", "missed 3"]) await a.say(content);
  // One more in the very moment in which B comes back.
  await Promise.all([b.comeBack(), a.say("meanwhile")]);
  await a.say("last");
  await untilB("the last", (one) => one.kind === "message" && one.content === "last");
  const expected = ["hello", "missed 1", "missed 2", "missed 3", "meanwhile", "last"];
  assert.deepEqual(said(b, idA), expected);

  const present = b.heard.length;
  await a.goAway();
  if (hearsPresence) {
    await untilB("going", (one) => one.kind === "presence" && isA(one) && !one.online, present);
  }
  const heardNothing = (kind: Heard["kind"]) =>
    assert.deepEqual(b.heard.filter((one) => one.kind === kind), [], kind);
  heardNothing("strange");
  if (!hears.typing) heardNothing("typing");
  if (!hears.read) heardNothing("read");
  if (hears.presence === null) heardNothing("presence");
  assert.deepEqual(said(b, idA), expected, "nothing came a second time later");
}

onBothEngines(
  "every protocol talks with every other, and who was away has missed nothing",
  async (server, t) => {
    const house = await openHouse(server);
    for (const a of KINDS) {
      const pairs = KINDS.flatMap((b) =>
        [{ a, b, aIs: "visitor" }, { a, b, aIs: "agent" }] as const
      );
      await t.step(`${a.name} to every other`, async () => {
        const failures: string[] = [];
        await Promise.all(house.agents.map(async (agent) => {
          for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
            const { b, aIs } = pair;
            await talk(house, agent, pair).catch((error) =>
              failures.push(`as ${aIs} to ${b.name}: ${error}`)
            );
          }
        }));
        assert.deepEqual(failures, []);
      });
    }
    await house.observer.goAway();
    assert.deepEqual(server.errors, []);
  },
  {
    PRESENCE_GRACE_MS: "0",
    LIMIT_MESSAGES_PER_MINUTE: "10000",
    LIMIT_SESSIONS_PER_MINUTE: "10000",
    LIMIT_LOGINS_PER_MINUTE: "1000",
  },
);
