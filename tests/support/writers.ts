import { ParleyClient } from "../../client/mod.ts";
import { CollaborationClient, type CollaborationDocument } from "../../client/collaboration.ts";
import { openTcpProxy, type TcpProxy } from "./tcp_proxy.ts";

/** Somebody who writes in a conversation's document, over a connection that can be cut. */
export interface Writer {
  client: ParleyClient;
  document: CollaborationDocument;
  proxy: TcpProxy;
}

export async function openWriter(
  server: { url: string },
  token: string,
  conversationId: string,
  role?: string,
): Promise<Writer> {
  const proxy = openTcpProxy({ hostname: "127.0.0.1", port: Number(new URL(server.url).port) });
  const client = new ParleyClient({
    url: `http://127.0.0.1:${proxy.port}`,
    credentials: () => ({ token }),
    minDelayMs: 20,
    maxDelayMs: 50,
  });
  await client.connect();
  const document = new CollaborationClient(client).open({ conversationId }, { role });
  await until([document], () => document.status === "ready", "the document");
  return { client, document, proxy };
}

/** Waits until something holds, and looks at it whenever one of the documents changes. */
export async function until(
  documents: CollaborationDocument[],
  holds: () => boolean,
  what: string,
): Promise<void> {
  if (holds()) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const check = () => holds() && resolve();
  const ends = documents.flatMap((document) =>
    (["change", "status", "settled", "members", "cursors", "error"] as const).map((type) =>
      document.on(type, check)
    )
  );
  const texts = () => JSON.stringify(documents.map(({ text, status }) => ({ text, status })));
  const timer = setTimeout(() => reject(new Error(`Waited for ${what}: ${texts()}`)), 20_000);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    for (const end of ends) end();
  }
}

export function closeAll(writers: Writer[]): void {
  for (const { client, document, proxy } of writers) {
    document.close();
    client.close();
    proxy.close();
  }
}
