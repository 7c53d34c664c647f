/** The people of the model test: each with an SDK client of their own behind the fault proxy. */
import { type ClientStorage, type ConversationStore, ParleyClient } from "../../client/mod.ts";
import type { Conversation, Message, Presence } from "../../protocol/model.ts";
import { call, login, openSession, widgetKey } from "../support/http.ts";
import type { ServerProcess } from "./server_process.ts";

/** One message that somebody wrote, and what became of it as far as they know. */
export interface Sent {
  clientMessageId: string;
  conversationId: string;
  content: string;
  isPrivate: boolean;
  /** Set once it was acknowledged. */
  message: Message | null;
  /** Contents that it may have in the end; after an acknowledged change only that and unknown ones. */
  possible: Set<string>;
  /** "" is in `possible` once a deletion is under way. */
  deletionAcked: boolean;
}

export interface Person {
  name: string;
  role: "agent" | "visitor";
  credentials: { token: string } | { sessionId: string };
  userId: string;
  /** Conversations that they may see. */
  mine: string[];
  client: ParleyClient;
  storage: ClientStorage;
  sent: Sent[];
  /** What the server told or granted them against the rules. */
  violations: string[];
  store(conversationId: string): ConversationStore;
  /** As a page reload: a new client finds what the old one left in the storage. */
  reload(): void;
}

export interface Cast {
  visitors: Person[];
  agents: Person[];
  /** A visitor who keeps trying to get at the conversations of others. */
  stranger: Person;
  everybody: Person[];
  /** All conversations, the stranger's last. */
  conversations: string[];
}

function createStorage(): ClientStorage {
  const entries = new Map<string, string>();
  return {
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, value),
    removeItem: (key) => void entries.delete(key),
    get length() {
      return entries.size;
    },
    key: (index) => [...entries.keys()][index] ?? null,
  };
}

const DURABLE = [
  "message",
  "message_updated",
  "message_deleted",
  "conversation_changed",
  "hidden",
] as const;

/** Listens to everything that arrives and writes down what this person must never see. */
function watch(person: Person): void {
  const { client, violations } = person;
  const visitor = person.role === "visitor";
  for (const type of DURABLE) {
    client.on(type, (data) => {
      if (!person.mine.includes(data.conversationId)) {
        violations.push(`${type} of ${data.conversationId}`);
      }
      const message = type === "message"
        ? data as Message
        : (data as { message?: Message }).message;
      if (visitor && message?.isPrivate) violations.push(`private ${type} ${message.id}`);
    });
  }
  for (const type of ["typing", "message_status", "user_joined", "user_left"] as const) {
    client.on(type, ({ conversationId }) => {
      if (!person.mine.includes(conversationId)) violations.push(`${type} of ${conversationId}`);
    });
  }
  if (!visitor) return;
  for (const type of ["conversation", "unread"] as const) {
    client.on(type, () => violations.push(`${type}, which is for agents`));
  }
  client.on("presence", (presence: Presence) => {
    if (presence.role !== "agent") violations.push(`presence of ${presence.userName}`);
  });
}

function createPerson(
  url: string,
  who: Pick<Person, "name" | "role" | "credentials" | "userId" | "mine">,
): Person {
  const storage = createStorage();
  const makeClient = () =>
    new ParleyClient({
      url,
      credentials: () => who.credentials,
      storage,
      minDelayMs: 50,
      maxDelayMs: 400,
      minUptimeMs: 100,
      connectTimeoutMs: 3_000,
      ackTimeoutMs: 3_000,
    });
  const person: Person = {
    ...who,
    storage,
    client: makeClient(),
    sent: [],
    violations: [],
    store: (conversationId) => person.client.conversation(conversationId),
    reload() {
      person.client.close();
      person.client = makeClient();
      begin();
    },
  };
  function begin(): void {
    watch(person);
    for (const id of person.mine) person.store(id).open();
    person.client.connect().catch(() => {});
  }
  begin();
  return person;
}

export async function createCast(
  server: ServerProcess,
  url: string,
  visitorCount: number,
): Promise<Cast> {
  const admin = await login(server as never);
  const key = await widgetKey(server as never, admin.token);
  const colleague = { email: "grace@example.com", password: "another horse battery" };
  await call(server, "POST", "/api/users", {
    token: admin.token,
    body: { name: "Grace", role: "agent", ...colleague },
  });
  const visitors: Person[] = [];
  const conversations: string[] = [];
  for (let n = 0; n <= visitorCount; n++) {
    const session = await openSession(server as never, key);
    const { body } = await call<Conversation>(server, "POST", "/api/conversations", {
      token: session.sessionId,
      body: {},
    });
    conversations.push(body.id);
    visitors.push(createPerson(url, {
      name: n === visitorCount ? "stranger" : `visitor${n}`,
      role: "visitor",
      credentials: { sessionId: session.sessionId },
      userId: body.contact.id,
      mine: [body.id],
    }));
  }
  const agents = [admin, await login(server as never, colleague)].map(({ token, user }, n) =>
    createPerson(url, {
      name: `agent${n}`,
      role: "agent",
      credentials: { token },
      userId: user.id,
      mine: conversations,
    })
  );
  const stranger = visitors.pop()!;
  return {
    visitors,
    agents,
    stranger,
    everybody: [...visitors, stranger, ...agents],
    conversations,
  };
}
