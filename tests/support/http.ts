import type { Conversation, Message } from "../../protocol/model.ts";
import type { LoginResponse, SessionResponse } from "../../protocol/rest.ts";
import { ADMIN, type TestServer } from "./server.ts";

export interface Answer<T> {
  status: number;
  body: T;
  headers: Headers;
}

/** One request with a JSON body, the answer parsed where it is JSON. */
export async function call<T = Record<string, unknown>>(
  server: Pick<TestServer, "url">,
  method: string,
  path: string,
  options: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer<T>> {
  const response = await fetch(server.url + path, {
    method,
    redirect: "manual",
    headers: {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.body === undefined ? {} : { "content-type": "application/json" }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : {
      body: typeof options.body === "string" ? options.body : JSON.stringify(options.body),
    }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  return {
    status: response.status,
    headers: response.headers,
    body: (isJson ? JSON.parse(text) : text) as T,
  };
}

async function expect<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`Request failed with ${status}: ${JSON.stringify(body)}`);
  return body;
}

export async function login(server: Pick<TestServer, "url">, who = ADMIN): Promise<LoginResponse> {
  return await expect(call<LoginResponse>(server, "POST", "/api/auth/login", { body: who }));
}

export async function widgetKey(server: Pick<TestServer, "url">, token: string): Promise<string> {
  const widgets = await expect(
    call<{ items: { widgetKey: string }[] }>(server, "GET", "/api/widget-configs", { token }),
  );
  return widgets.items[0]!.widgetKey;
}

export async function openSession(
  server: Pick<TestServer, "url">,
  key: string,
  sessionId?: string,
): Promise<SessionResponse> {
  const body = { widgetKey: key, sessionId };
  return await expect(call<SessionResponse>(server, "POST", "/api/sessions", { body }));
}

/** A reply adds no line that the agent took the conversation, so that tests can count entries. */
export async function keepUnassigned(server: Pick<TestServer, "url">, token: string) {
  const body = { assignOnReply: false };
  await expect(call(server, "PATCH", "/api/queue-settings", { token, body }));
}

/**
 * An agent's token, a visitor's session and their conversation.
 *
 * @param replies "assign" as by default; otherwise nothing is assigned by a reply
 */
export async function cast(server: Pick<TestServer, "url">, replies?: "assign") {
  const agent = await login(server);
  if (replies !== "assign") await keepUnassigned(server, agent.token);
  const key = await widgetKey(server, agent.token);
  const visitor = await openSession(server, key);
  const conversation = await expect(
    call<Conversation>(server, "POST", "/api/conversations", {
      token: visitor.sessionId,
      body: {},
    }),
  );
  return { agent, key, visitor, conversation };
}

export async function post(
  server: Pick<TestServer, "url">,
  token: string,
  conversationId: string,
  content: string,
  clientMessageId: string = crypto.randomUUID(),
): Promise<Message> {
  return await expect(
    call<Message>(server, "POST", `/api/conversations/${conversationId}/messages`, {
      token,
      body: { content, clientMessageId },
    }),
  );
}
