import type { FileAddress } from "../../protocol/files.ts";
import type { Message, MessageFile } from "../../protocol/model.ts";
import { call } from "./http.ts";

type At = { url: string };

export interface Uploaded<T> {
  status: number;
  body: T;
}

/** An upload with the credentials of an agent, a visitor or a program. */
export async function upload<T = MessageFile>(
  { url }: At,
  token: string,
  body: BodyInit,
  { name = "a.txt", uploadId = crypto.randomUUID() as string, type = "", more = "" } = {},
): Promise<Uploaded<T>> {
  const query = `name=${encodeURIComponent(name)}&uploadId=${uploadId}${more}`;
  const response = await fetch(`${url}/api/files?${query}`, {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${token}`, "content-type": type },
  });
  return { status: response.status, body: await response.json() };
}

export async function uploaded(
  ...args: Parameters<typeof upload>
): Promise<MessageFile> {
  const { status, body } = await upload(...args);
  if (status !== 201) throw new Error(`Refused with ${status}: ${JSON.stringify(body)}`);
  return body;
}

export async function postFiles<T = Message>(
  server: At,
  token: string,
  conversationId: string,
  fileIds: string[],
  more: Record<string, unknown> = {},
) {
  return await call<T>(server, "POST", `/api/conversations/${conversationId}/messages`, {
    token,
    body: { content: "", clientMessageId: crypto.randomUUID(), fileIds, ...more },
  });
}

/** Addresses of those that the holder of the credentials may see. */
export async function addresses(server: At, token: string, ids: string[]): Promise<FileAddress[]> {
  const { body } = await call<{ items: FileAddress[] }>(server, "POST", "/api/files/addresses", {
    token,
    body: { ids },
  });
  return body.items;
}

/** Files in a folder and below, without the folders. */
export async function filesBelow(path: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (isDirectory) found.push(...await filesBelow(`${path}/${name}`));
      else found.push(`${path}/${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found;
}
