import assert from "node:assert/strict";
import type { CreateLabelBody } from "../../protocol/labels.ts";
import type { Conversation, Label } from "../../protocol/model.ts";
import { call } from "./http.ts";

type At = { url: string };

export async function makeLabel(
  server: At,
  token: string,
  name: string,
  more: Partial<CreateLabelBody> = {},
): Promise<Label> {
  const body = { name, ...more };
  const answer = await call<Label>(server, "POST", "/api/labels", { token, body });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body;
}

/** Gives a conversation these labels and no others. */
export function setLabels(server: At, token: string, id: string, labels: string[]) {
  const body = { labels };
  return call<Conversation>(server, "PATCH", `/api/conversations/${id}`, { token, body });
}

/** A label as a conversation has it. */
export function tagOf({ id, name, color }: Label) {
  return { id, name, color };
}
