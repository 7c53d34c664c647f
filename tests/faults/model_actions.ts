/** What happens in the model test: one random action after the other. */
import { ParleyClientError } from "../../client/mod.ts";
import { call } from "../support/http.ts";
import type { FaultProxy, Link } from "./fault_proxy.ts";
import type { Cast, Person, Sent } from "./model_people.ts";
import type { Random } from "./random.ts";
import type { ServerProcess } from "./server_process.ts";

const ACTIONS = {
  send: 44,
  note: 6,
  edit: 8,
  remove: 2,
  status: 3,
  read: 6,
  type: 5,
  older: 2,
  reopen: 3,
  reload: 1,
  intrude: 6,
  fault: 14,
};
type Action = keyof typeof ACTIONS;

const FAULTS = {
  drop: 4,
  halfOpen: 2,
  delay: 3,
  cutBeforeAck: 4,
  suppressPongs: 1,
  duplicate: 3,
  lose: 6,
  strand: 3,
};

/** More than these may not wait in one outbox: the SDK's own limit is not the subject. */
const MAX_WAITING = 50;

export interface World {
  cast: Cast;
  random: Random;
  proxy: FaultProxy;
  server: ServerProcess;
  /** What was done, how often. */
  counts: Record<string, number>;
  /** Links whose held message still has to arrive. */
  stranded: Set<Link>;
  background: Set<Promise<unknown>>;
  violations: string[];
}

/** Errors that leave the outcome open; `unavailable` where the answer to the commit was lost. */
const UNKNOWN = ["disconnected", "timeout", "closed", "unavailable"];

function inBackground(world: World, work: Promise<unknown>): void {
  const done = work.finally(() => world.background.delete(done));
  world.background.add(done);
}

export function act(world: World): void {
  const { random } = world;
  const action: Action = random.weighted(ACTIONS);
  world.counts[action] = (world.counts[action] ?? 0) + 1;
  const { everybody, agents } = world.cast;
  switch (action) {
    case "send":
      return send(world, random.pick(everybody), false);
    case "note":
      return send(world, random.pick(agents), true);
    case "edit":
    case "remove":
      return change(world, random.pick(everybody), action);
    case "status":
      return setStatus(world, random.pick(agents));
    case "read": {
      const person = random.pick(everybody);
      return person.store(random.pick(person.mine)).markRead();
    }
    case "type": {
      const person = random.pick(everybody);
      return person.store(random.pick(person.mine)).typing(random.number() < 0.7);
    }
    case "older": {
      const person = random.pick(everybody);
      return inBackground(
        world,
        person.store(random.pick(person.mine)).loadOlder().catch(() => {}),
      );
    }
    case "reopen": {
      const person = random.pick(everybody);
      const store = person.store(random.pick(person.mine));
      store.close();
      setTimeout(() => store.open(), random.int(0, 300));
      return;
    }
    case "reload":
      return random.pick(everybody).reload();
    case "intrude":
      return intrude(world);
    case "fault":
      return fault(world);
  }
}

function send(world: World, person: Person, isPrivate: boolean): void {
  if (person.client.pending().length >= MAX_WAITING) return;
  const conversationId = world.random.pick(person.mine);
  const content = `${person.name} ${person.sent.length}`;
  const sent: Sent = {
    clientMessageId: `${person.name}-${person.sent.length}`,
    conversationId,
    content,
    isPrivate,
    message: null,
    possible: new Set([content]),
    deletionAcked: false,
  };
  person.sent.push(sent);
  const { clientMessageId } = sent;
  void person.client.send({ conversationId, content, clientMessageId, isPrivate }).then(
    (message) => void (sent.message = message),
    (error: ParleyClientError) => {
      if (error.code !== "closed") world.violations.push(`send of ${clientMessageId}: ${error}`);
    },
  );
}

function change(world: World, person: Person, kind: "edit" | "remove"): void {
  const known = person.sent.filter(({ message, possible }) =>
    message !== null && !possible.has("")
  );
  if (known.length === 0) return;
  const sent = world.random.pick(known.slice(-20));
  const store = person.store(sent.conversationId);
  const id = sent.message!.id;
  const content = kind === "remove" ? "" : `${sent.content} edited ${world.counts.edit}`;
  sent.possible.add(content);
  // Whatever was possible when this change set out may be overwritten by it, nothing that came later.
  const before = [...sent.possible].filter((one) => one !== content);
  const work: Promise<unknown> = kind === "remove"
    ? store.deleteMessage(id)
    : store.editMessage(id, content);
  inBackground(
    world,
    work.then(() => {
      if (kind === "remove") sent.deletionAcked = true;
      for (const one of before) if (one === sent.content) sent.possible.delete(one);
    }, (error: ParleyClientError) => {
      // An edit that comes after a deletion is refused, and so is the one that a deletion overtook.
      const refused = error.code === "conflict" && sent.possible.has("");
      if (refused) sent.possible.delete(content);
      else if (!UNKNOWN.includes(error.code)) world.violations.push(`${kind} of ${id}: ${error}`);
    }),
  );
}

/** Over HTTP and past the proxy, so that the log has changes that no socket asked for. */
function setStatus(world: World, agent: Person): void {
  const id = world.random.pick(agent.mine);
  const status = world.random.pick(["open", "pending", "resolved"]);
  const token = (agent.credentials as { token: string }).token;
  const body = { status };
  const work = call(world.server, "PATCH", `/api/conversations/${id}`, { token, body });
  inBackground(world, work.catch(() => {}));
}

/** Everything that the stranger tries has to look as if the conversation did not exist. */
function intrude(world: World): void {
  const { stranger, conversations } = world.cast;
  const conversationId = world.random.pick(
    conversations.filter((id) => !stranger.mine.includes(id)),
  );
  const owner = world.random.pick([...world.cast.visitors, ...world.cast.agents]);
  const messageId = owner.sent.findLast(({ message }) => message !== null)?.message?.id ??
    crypto.randomUUID();
  const { client } = stranger;
  const tries: Record<string, () => Promise<unknown>> = {
    join: () => client.request("join", { conversationId, seq: 0 }),
    history: () => client.request("history", { conversationId }),
    message: () =>
      client.request("message", { conversationId, content: "hi", clientMessageId: "intruder" }),
    edit: () =>
      client.request("edit_message", { conversationId, messageId, content: "was changed" }),
    remove: () => client.request("delete_message", { conversationId, messageId }),
    read: () => client.request("read", { conversationId, seq: 1 }),
    typing: () => client.request("typing", { conversationId, isTyping: true }),
  };
  const name = world.random.pick(Object.keys(tries));
  const work = tries[name]!().then(
    () => void stranger.violations.push(`could ${name} in ${conversationId}`),
    (error: ParleyClientError) => {
      const right = error.code === (name === "typing" ? "not_joined" : "not_found");
      if (right || UNKNOWN.includes(error.code)) return;
      stranger.violations.push(`${name} in ${conversationId} was answered with ${error.code}`);
    },
  );
  inBackground(world, work);
}

function fault(world: World): void {
  const { random, proxy, counts } = world;
  const { live } = proxy;
  if (live.length === 0) return;
  const link = random.pick(live);
  const kind = random.weighted(FAULTS);
  counts[kind] = (counts[kind] ?? 0) + 1;
  switch (kind) {
    case "delay":
      return link.delay(random.int(5, 150));
    case "strand": {
      const waitMs = random.int(50, 3_000);
      void link.strand().then(async () => {
        world.stranded.add(link);
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        await link.release();
        world.stranded.delete(link);
      });
      return;
    }
    case "duplicate":
    case "lose":
    case "cutBeforeAck":
      return void link[kind]();
    default:
      return link[kind]();
  }
}
