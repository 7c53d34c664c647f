import assert from "node:assert/strict";
import { ParleyClient } from "./client.ts";
import type { ConversationStore } from "./conversation.ts";
import {
  CONVERSATION,
  makeConversation,
  makeMessage,
  type Peer,
  startServer,
  type TestServer,
  until,
} from "./test_server.ts";

async function withStore(
  work: (server: TestServer, store: ConversationStore, client: ParleyClient) => Promise<void>,
) {
  const server = startServer();
  const client = new ParleyClient({
    url: server.url,
    credentials: () => ({ token: "t" }),
    minDelayMs: 20,
    maxDelayMs: 40,
  });
  try {
    await work(server, client.conversation(CONVERSATION), client);
  } finally {
    client.close();
    await server.stop();
  }
}

const contents = (store: ConversationStore) =>
  store.snapshot.items.map(({ message, pending }) => message?.content ?? `(${pending?.content})`);

Deno.test("opening joins, shows the snapshot, and follows live", () =>
  withStore(async (server, store, client) => {
    server.post("one");
    client.connect();
    store.open();
    assert.equal(store.snapshot.status, "loading");
    await until(() => store.snapshot.status === "ready", "ready");
    server.post("two");
    await until(() => store.snapshot.items.length === 2, "the second is there");
    assert.deepEqual(contents(store), ["one", "two"]);
    await until(() => server.of("delivered").at(-1)?.data?.seq === 2, "told what was received");
  }));

Deno.test("a snapshot is a new object after a change and the same without", () =>
  withStore(async (server, store, client) => {
    server.post("one");
    await client.connect();
    store.open();
    await until(() => store.snapshot.status === "ready", "ready");
    const before = store.snapshot;
    assert.equal(store.snapshot, before);
    server.post("two");
    await until(() => store.snapshot !== before, "changed");
    assert.equal(store.snapshot.items[0], before.items[0]);
  }));

Deno.test("a gap is noticed and filled by joining again from the last known position", () =>
  withStore(async (server, store, client) => {
    server.post("one");
    await client.connect();
    store.open();
    await until(() => store.snapshot.status === "ready", "ready");
    const [peer] = server.peers;
    peer!.joined.clear();
    server.post("two");
    server.post("three");
    peer!.event("message", server.log[2]!.data);
    await until(() => store.snapshot.items.length === 3, "all three are there");
    assert.deepEqual(contents(store), ["one", "two", "three"]);
    assert.deepEqual(server.of("join")[1]!.data, {
      conversationId: CONVERSATION,
      epoch: "first",
      seq: 1,
    });
  }));

Deno.test("after a reconnection only missed events are requested", () =>
  withStore(async (server, store, client) => {
    server.post("one");
    await client.connect();
    store.open();
    await until(() => store.snapshot.status === "ready", "ready");
    for (const peer of server.peers) peer.close(3011);
    server.post("two");
    await until(() => store.snapshot.items.length === 2, "recovered");
    assert.equal(server.of("join")[1]!.data!.seq, 1);
    assert.deepEqual(contents(store), ["one", "two"]);
  }));

Deno.test("a state that cannot be recovered is replaced completely", () =>
  withStore(async (server, store, client) => {
    server.post("old");
    await client.connect();
    store.open();
    await until(() => store.snapshot.status === "ready", "ready");
    for (const peer of server.peers) peer.close(3011);
    server.log = [];
    server.epoch = "second";
    server.post("new");
    await until(() => contents(store)[0] === "new", "replaced");
    assert.deepEqual(contents(store), ["new"]);
    server.post("next");
    await until(() => store.snapshot.items.length === 2, "follows on");
  }));

Deno.test("positions start again with a log that was restored from a copy", () =>
  withStore(async (server, store, client) => {
    for (const text of ["a", "b", "c"]) server.post(text);
    await client.connect();
    store.open();
    await until(() => store.snapshot.status === "ready", "ready");
    store.markRead();
    await until(
      () => server.of("read").length === 1 && server.of("delivered").length === 1,
      "told",
    );
    const [peer] = server.peers;
    const pointers = { ...store.snapshot.pointers, contactReadSeq: 3 };
    peer!.event("message_status", { conversationId: CONVERSATION, pointers });
    await until(() => store.snapshot.pointers.contactReadSeq === 3, "read by the visitor");
    peer!.close(3011);
    server.log = [];
    server.epoch = "second";
    server.post("a");
    await until(() => store.snapshot.items.length === 1, "replaced");
    assert.equal(store.snapshot.pointers.contactReadSeq, 0);
    store.markRead();
    await until(
      () => server.of("read").length === 2 && server.of("delivered").length === 2,
      "told",
    );
    assert.deepEqual(server.of("read").map((one) => one.data!.seq), [3, 1]);
    assert.deepEqual(server.of("delivered").map((one) => one.data!.seq), [3, 1]);
  }));

Deno.test("events that arrive before the answer to join are applied after it", () =>
  withStore(async (server, store, client) => {
    server.post("one");
    server.intercept = (command, peer) => {
      if (command.type !== "join") return false;
      server.intercept = () => false;
      // The answer was read at 1; event 2 overtakes it.
      const late = makeMessage(2, "two");
      peer.event("message", late);
      const messages = [server.log[0]!.data];
      server.reply(peer, command, {
        conversationId: CONVERSATION,
        epoch: "first",
        seq: 1,
        recovered: false,
        events: [],
        snapshot: { messages, hasMore: true },
        members: [],
        conversation: makeConversation("first", 1),
      });
      return true;
    };
    await client.connect();
    store.open();
    await until(() => store.snapshot.items.length === 2, "both");
    assert.equal(server.of("join").length, 1);
    assert.equal(store.snapshot.hasOlder, true);
  }));

Deno.test("an own message is one line with one key, from written to stored", () =>
  withStore(async (server, store, client) => {
    await client.connect();
    store.open();
    await until(() => store.snapshot.status === "ready", "ready");
    const lengths = new Set<number>();
    store.subscribe(({ items }) => lengths.add(items.length));
    const sent = store.send("mine");
    const { key } = store.snapshot.items[0]!;
    assert.deepEqual(contents(store), ["(mine)"]);
    await sent;
    server.post("theirs");
    await until(() => store.snapshot.items.length === 2, "both");
    assert.equal(store.snapshot.items[0]!.key, key);
    assert.deepEqual(contents(store), ["mine", "theirs"]);
    assert.deepEqual([...lengths], [1, 2]);
    assert.equal(server.of("join").length, 1);
  }));

Deno.test("a seeded page shows at once and only the rest is requested", () =>
  withStore(async (server, store, client) => {
    server.post("one");
    server.post("two");
    store.seed([server.log[0]!.data as never], false, makeConversation("first", 2));
    assert.deepEqual(contents(store), ["one"]);
    await client.connect();
    store.open();
    await until(() => store.snapshot.items.length === 2, "the rest");
    assert.equal(server.of("join")[0]!.data!.seq, 1);
  }));

Deno.test("older pages are added in front", () =>
  withStore(async (server, store, client) => {
    for (const text of ["a", "b", "c", "d"]) server.post(text);
    store.seed([server.log[3]!.data as never], true, makeConversation("first", 4));
    await client.connect();
    store.open();
    const loading = store.loadOlder();
    assert.equal(store.snapshot.loadingOlder, true);
    await loading;
    assert.deepEqual(contents(store), ["b", "c", "d"]);
    await store.loadOlder();
    assert.deepEqual(contents(store), ["a", "b", "c", "d"]);
    assert.equal(store.snapshot.hasOlder, false);
  }));

Deno.test("updates, deletions, hidden events and status changes keep the sequence complete", () =>
  withStore(async (server, store, client) => {
    const one = server.post("one");
    server.post("two");
    await client.connect();
    store.open();
    await until(() => store.snapshot.status === "ready", "ready");
    const [peer] = server.peers;
    const on = { conversationId: CONVERSATION };
    peer!.event("hidden", { ...on, seq: 3 });
    peer!.event("message_updated", { ...on, seq: 4, message: { ...one, content: "edited" } });
    peer!.event("message_deleted", {
      ...on,
      seq: 5,
      messageId: server.log[1]!.data && (server.log[1]!.data as { id: string }).id,
      deletedAt: "2026-01-01T00:00:00Z",
    });
    peer!.event("conversation_changed", { ...on, seq: 6, status: "resolved", actor: {} });
    await until(() => store.snapshot.conversation?.status === "resolved", "resolved");
    assert.deepEqual(contents(store), ["edited", ""]);
    assert.equal(server.of("join").length, 1);
  }));

Deno.test("others' typing shows, and ends with their message; own typing never shows", () =>
  withStore(async (server, store, client) => {
    await client.connect();
    store.open();
    await until(() => store.snapshot.status === "ready", "ready");
    const [peer] = server.peers;
    const typing = (userId: string, isTyping: boolean) =>
      peer!.event("typing", {
        conversationId: CONVERSATION,
        userId,
        userName: userId,
        role: "agent",
        isTyping,
      });
    typing("agent-me", true);
    typing("agent-1", true);
    await until(() => store.snapshot.typing.length === 1, "typing");
    assert.equal(store.snapshot.typing[0]!.userId, "agent-1");
    server.post("done");
    await until(() => store.snapshot.typing.length === 0, "typing ended");
  }));

Deno.test("the read position is sent once, as far as it went", () =>
  withStore(async (server, store, client) => {
    server.post("one");
    await client.connect();
    store.open();
    await until(() => store.snapshot.status === "ready", "ready");
    store.markRead();
    server.post("two");
    await until(() => store.snapshot.items.length === 2, "two");
    store.markRead();
    store.markRead();
    await until(() => server.of("read").length === 1, "told");
    server.post("three");
    await until(() => store.snapshot.items.length === 3, "three");
    store.markRead();
    await until(() => server.of("read").length >= 2, "told again");
    assert.deepEqual(server.of("read").map((one) => one.data!.seq), [2, 3]);
  }));

Deno.test("a conversation that may not be read shows the error and sends nothing", () =>
  withStore(async (server, store, client) => {
    server.intercept = (command, peer) => {
      if (command.type !== "join") return false;
      server.refuse(peer, command, "not_found");
      return true;
    };
    await client.connect();
    store.open();
    await until(() => store.snapshot.status === "error", "error");
    assert.equal(store.snapshot.error?.code, "not_found");
    assert.equal(server.of("join").length, 1);
  }));

Deno.test("members are counted correctly, with and without a complete list", () =>
  withStore(async (server, store, client) => {
    const person = (number: number) => ({
      userId: `agent-${number}`,
      userName: `Agent ${number}`,
      role: "agent" as const,
    });
    const on = { conversationId: CONVERSATION };
    let answer = { members: [person(1), person(2)], memberCount: 2, cursor: null as string | null };
    server.intercept = (command, peer) => {
      if (command.type !== "join") return false;
      server.reply(peer, command, {
        ...on,
        epoch: "first",
        seq: 0,
        recovered: false,
        events: [],
        snapshot: { messages: [], hasMore: false },
        members: answer.members,
        memberCount: answer.memberCount,
        membersCursor: answer.cursor,
        conversation: makeConversation("first", 0),
      });
      return true;
    };
    const counts = () => [store.snapshot.memberCount, store.snapshot.members.length];
    const caughtUp = async (peer: Peer) => {
      peer.event("typing", { ...on, ...person(99), isTyping: true });
      await until(() => store.snapshot.typing.length === 1, "everything before is there");
      peer.event("typing", { ...on, ...person(99), isTyping: false });
      await until(() => store.snapshot.typing.length === 0, "and after");
    };
    await client.connect();
    store.open();
    await until(() => store.snapshot.status === "ready", "ready");
    assert.deepEqual(counts(), [2, 2]);
    const [peer] = server.peers;
    peer!.event("user_joined", { ...on, ...person(3) });
    // Events that the answer contained already, in both directions.
    peer!.event("user_joined", { ...on, ...person(1) });
    peer!.event("user_left", { ...on, ...person(4) });
    await caughtUp(peer!);
    assert.deepEqual(counts(), [3, 3]);

    answer = { members: [person(1), person(2)], memberCount: 240, cursor: "agent-2" };
    peer!.close(3011);
    await until(() => store.snapshot.memberCount === 240, "the first page");
    const [next] = server.peers;
    next!.event("user_joined", { ...on, ...person(300) });
    next!.event("user_left", { ...on, ...person(120) });
    next!.event("user_left", { ...on, ...person(2) });
    await caughtUp(next!);
    assert.deepEqual(counts(), [239, 2]);
  }));
