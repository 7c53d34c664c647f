/** What tests of notifications share: colleagues, and what each of them has been told. */
import type { Conversation, Notification } from "../../protocol/model.ts";
import type { NotificationList } from "../../protocol/notifications.ts";
import { poll } from "./deadline.ts";
import { call, login, openSession, widgetKey } from "./http.ts";
import type { TestServer } from "./server.ts";

type Server = Pick<TestServer, "url">;

export interface Colleague {
  token: string;
  id: string;
  name: string;
}

/** The admin, who is called "ada", and as many agents as there are names. */
export async function colleagues(server: Server, ...names: string[]): Promise<Colleague[]> {
  const admin = await login(server);
  const all = [{ token: admin.token, id: admin.user.id, name: admin.user.name }];
  for (const name of names) {
    const who = {
      email: `${name.toLowerCase().replaceAll(" ", ".")}@example.com`,
      password: "a long enough password",
    };
    await call(server, "POST", "/api/users", {
      token: admin.token,
      body: { ...who, name, role: "agent" },
    });
    const { token, user } = await login(server, who);
    all.push({ token, id: user.id, name });
  }
  return all;
}

/** A visitor with a conversation in which nothing is written yet. */
export async function newVisitor(server: Server, admin: Colleague) {
  const { sessionId } = await openSession(server, await widgetKey(server, admin.token));
  const { body } = await call<Conversation>(server, "POST", "/api/conversations", {
    token: sessionId,
    body: {},
  });
  return { sessionId, conversationId: body.id, name: body.contact.name };
}

export async function told(
  server: Server,
  who: Colleague,
  query = "",
): Promise<NotificationList> {
  const path = `/api/notifications${query}`;
  const { status, body } = await call<NotificationList>(server, "GET", path, { token: who.token });
  if (status !== 200) throw new Error(`Cannot list: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** Asks until it is so: what is told follows the change that it is about. */
export async function untilTold(
  server: Server,
  who: Colleague,
  fits: (list: NotificationList) => boolean,
  what = "the notifications",
): Promise<NotificationList> {
  return await poll(() => told(server, who), fits, what);
}

export const kinds = ({ items }: { items: Notification[] }) => items.map(({ kind }) => kind);

export async function assign(
  server: Server,
  by: Colleague,
  conversationId: string,
  to: Colleague | null,
): Promise<void> {
  const { status, body } = await call(server, "PATCH", `/api/conversations/${conversationId}`, {
    token: by.token,
    body: { assigneeId: to?.id ?? null },
  });
  if (status !== 200) throw new Error(`Cannot assign: ${status} ${JSON.stringify(body)}`);
}
