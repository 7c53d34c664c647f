/** Files: uploaded once, sent with a message, seen by those who may see it, and gone with it. */
import assert from "node:assert/strict";
import type { Conversation, Message } from "../protocol/model.ts";
import type { Problem } from "../protocol/rest.ts";
import { poll, within } from "./support/deadline.ts";
import { addresses, filesBelow, postFiles, upload, uploaded } from "./support/files.ts";
import { inDatabase } from "./support/fingerprint.ts";
import { call, cast, openSession } from "./support/http.ts";
import { bytes, jpeg, PLACE, png } from "./support/pictures.ts";
import { sharedSettings } from "./support/nodes.ts";
import { S3_KEYS, startS3Server } from "./support/s3_server.ts";
import { makeDatabase, onBothEngines, startServer, type TestServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { connect } from "./support/socket.ts";

const SIZE = { width: 40, height: 30 };
const onDisk = (server: TestServer) => filesBelow(`${server.env["DATA_DIR"]}/files`);
const gone = (server: TestServer) =>
  poll(() => onDisk(server), (files) => files.length === 0, "an empty store");

onBothEngines("a file goes with its message to those who may see it", async (server) => {
  const { agent: { token }, key, visitor, conversation } = await cast(server);
  const { sessionId } = visitor;
  const [agent, person] = await Promise.all([
    connect(server, { token }),
    connect(server, { sessionId }),
  ]);
  for (const socket of [agent, person]) {
    await socket.ack("join", { conversationId: conversation.id });
  }
  await agent.ack("subscribe", { table: "chat_messages" });
  const photo = await uploaded(server, sessionId, png(SIZE), { name: "Garten.png" });
  assert.deepEqual(photo, { ...photo, name: "Garten.png", mediaType: "image/png", ...SIZE });
  const note = await uploaded(server, sessionId, "Hello", { name: "Garten.png" });
  assert.equal(note.mediaType, "text/plain");

  // Without text, and with more than one.
  const clientMessageId = crypto.randomUUID();
  const data = { conversationId: conversation.id, content: "", clientMessageId };
  const { message } = await person.ack("message", { ...data, fileIds: [note.id, photo.id] });
  assert.deepEqual(message.files, [note, photo]);
  assert.equal(message.content, "");
  const seen = await agent.event("message", ({ id }) => id === message.id);
  assert.deepEqual(seen.files, [note, photo]);
  const changes = await agent.event(
    "database_change",
    ({ data }) => data["id"] === message.id,
  );
  assert.deepEqual(changes.data["files"], [note, photo]);
  // The same again is the same message, and has the same files.
  await agent.event(
    "notification",
    ({ notification }) => notification.body === "2 files",
  );
  const again = await person.ack("message", { ...data, fileIds: [note.id, photo.id] });
  assert.deepEqual([again.duplicate, again.message.files], [true, [note, photo]]);
  const path = `/api/conversations/${conversation.id}`;
  const { body: row } = await call<Conversation>(server, "GET", path, { token });
  assert.equal(row.lastMessage?.preview, "2 files");
  const { body: page } = await call<{ items: Message[] }>(server, "GET", `${path}/messages`, {
    token: sessionId,
  });
  assert.deepEqual(page.items[0]!.files, [note, photo]);

  // Whose it is, and only once.
  const stranger = await openSession(server, key);
  for (
    const [who, id] of [[stranger.sessionId, photo.id], [sessionId, photo.id], [token, photo.id]]
  ) {
    const own = await call<Conversation>(server, "POST", "/api/conversations", {
      token: stranger.sessionId,
      body: {},
    });
    const to = who === stranger.sessionId ? own.body.id : conversation.id;
    const { status, body } = await postFiles<Problem>(server, who!, to, [id!]);
    assert.equal(status, 422);
    assert.deepEqual(body.fields?.map(({ path }) => path), ["fileIds.0"]);
  }
  const ids = [photo.id, note.id, crypto.randomUUID()];
  assert.deepEqual(await addresses(server, stranger.sessionId, ids), []);
  for (const who of [token, sessionId]) {
    const given = await addresses(server, who, ids);
    assert.deepEqual(given.map(({ id }) => id), [photo.id, note.id]);
  }
  const [address] = await addresses(server, token, [photo.id]);
  const response = await fetch(server.url + address!.url);
  const content = new Uint8Array(await response.arrayBuffer());
  assert.equal(content.length, photo.size);
  assert.ok(!new TextDecoder("latin1").decode(content).includes(PLACE));

  // Notes are for agents.
  const secret = await uploaded(server, token, "Only for us", { name: "us.txt" });
  const { body: privately } = await postFiles(server, token, conversation.id, [secret.id], {
    isPrivate: true,
  });
  assert.equal(privately.files?.length, 1);
  assert.deepEqual(await addresses(server, sessionId, [secret.id]), []);
  assert.equal((await addresses(server, token, [secret.id])).length, 1);

  // A deleted message takes its files with it.
  const removed = { conversationId: conversation.id, messageId: message.id };
  await person.ack("delete_message", removed);
  const late = await fetch(server.url + address!.url);
  await late.body?.cancel();
  assert.equal(late.status, 404);
  await poll(() => onDisk(server), (files) => files.length === 1, "one file that is left");
  await agent.ack("delete_message", { ...removed, messageId: privately.id });
  await gone(server);
  const { body: after } = await call<{ items: Message[] }>(server, "GET", `${path}/messages`, {
    token,
  });
  assert.ok(after.items.every(({ files }) => files === undefined));
  assert.ok(!JSON.stringify(after).includes("us.txt"));
});

/** A server for what does not depend on the engine. */
const LIMITS = {
  MAX_FILE_BYTES: "300000",
  LIMIT_UPLOADS_PER_MINUTE: "1000",
  LIMIT_UPLOAD_BYTES_PER_HOUR: "1000000",
  UNSENT_FILE_MS: "3600000",
};

async function testRefusals(server: TestServer, token: string): Promise<void> {
  const refused = async (
    status: number,
    code: string,
    body: BodyInit,
    options: Parameters<typeof upload>[3] = {},
  ) => {
    const answer = await upload<Problem>(server, token, body, options);
    assert.deepEqual(
      [answer.status, answer.body.code],
      [status, code],
      JSON.stringify(answer.body),
    );
    return answer.body;
  };
  await refused(413, "too_large", new Uint8Array(300_001));
  const answer = await upload<Problem>(server, token, new Blob([]), {});
  assert.equal(answer.body.detail, "Cannot take the file: it is empty");
  assert.match(await sendEndlessly(server, token), /^HTTP\/1.1 413 .*"too_large"/s);
  await refused(415, "unsupported_type", "MZ\x90\0\x03", { name: "photo.png", type: "image/png" });
  await refused(415, "unsupported_type", "#!/bin/sh", { name: "notes.txt" });
  await refused(422, "invalid", bytes("\x89PNG\r\n\x1a\nnothing"), { name: "a.png" });
  const large = await refused(413, "too_large", jpeg({ width: 10_000, height: 10_000 }));
  assert.ok(large.detail.includes("10000 × 10000 pixels"), large.detail);
  const unnamed = await refused(422, "invalid", "a", { name: " ", uploadId: "a b" });
  assert.deepEqual(unnamed.fields?.map(({ path }) => path), ["name", "uploadId"]);
  const empty = await call<Problem>(server, "POST", "/api/files/addresses", {
    token,
    body: { ids: [] },
  });
  assert.equal(empty.status, 422);
  assert.equal((await upload(server, "nobody", "a")).status, 401);
}

const headOf = ({ url }: TestServer, token: string, query: string, more: string) =>
  `POST /api/files?${query} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n` +
  `Authorization: Bearer ${token}\r\n${more}\r\n\r\n`;

const dial = ({ url }: TestServer) =>
  Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });

/** A body that ends before its Content-Length. */
async function leaveHalfway(server: TestServer, token: string, uploadId: string): Promise<void> {
  using connection = await dial(server);
  const head = headOf(server, token, `name=half&uploadId=${uploadId}`, "Content-Length: 200000");
  await connection.write(new TextEncoder().encode(head + "x".repeat(100_000)));
}

/** A body that nobody says the length of. @returns the answer, which comes before its end */
async function sendEndlessly(server: TestServer, token: string): Promise<string> {
  using connection = await dial(server);
  const head = headOf(server, token, "name=a&uploadId=endless", "Transfer-Encoding: chunked");
  const chunk = `ffff\r\n${"x".repeat(65_535)}\r\n`;
  const data = new TextEncoder().encode(head + chunk.repeat(12));
  for (let at = 0; at < data.length;) at += await connection.write(data.subarray(at));
  const buffer = new Uint8Array(16_384);
  let answer = "";
  while (!answer.includes("}")) {
    const size = await within(connection.read(buffer), "an answer to an endless upload");
    if (size === null) break;
    answer += new TextDecoder().decode(buffer.subarray(0, size));
  }
  return answer;
}

async function testServing(server: TestServer, token: string, conversationId: string) {
  const html = await uploaded(server, token, "<script>alert(1)</script>", { name: 'a "b" ü.html' });
  const sound = await uploaded(server, token, bytes("\x1a\x45\xdf\xa3", "sound".repeat(10)), {
    name: "voice-message.webm",
    type: "audio/webm",
    more: "&durationMs=4200",
  });
  assert.deepEqual([sound.durationMs], [4200]);
  const { body: message } = await postFiles(server, token, conversationId, [html.id, sound.id]);
  assert.equal(message.files?.length, 2);
  const [page, voice] = await addresses(server, token, [html.id, sound.id]);
  const get = async (url: string, headers: Record<string, string> = {}, method = "GET") => {
    const response = await fetch(server.url + url, { headers, method });
    return {
      ...response,
      status: response.status,
      headers: response.headers,
      text: await response.text(),
    };
  };
  const shown = await get(page!.url);
  assert.equal(shown.text, "<script>alert(1)</script>");
  const expected = {
    "content-type": "application/octet-stream",
    "content-disposition":
      `attachment; filename="a _b_ _.html"; filename*=UTF-8''a%20%22b%22%20%C3%BC.html`,
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "cross-origin",
    "referrer-policy": "no-referrer",
  };
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(shown.headers.get(name), value);
  }
  assert.match(shown.headers.get("cache-control")!, /^private, max-age=\d+, immutable$/);

  const whole = await get(voice!.url);
  assert.equal(whole.headers.get("content-disposition")?.split(";")[0], "inline");
  const saved = await get(`${voice!.url}&download`);
  assert.equal(saved.headers.get("content-disposition")?.split(";")[0], "attachment");
  const ranges: [string, number, string][] = [
    ["bytes=4-8", 206, "sound"],
    ["bytes=-5", 206, "sound"],
    ["bytes=49-", 206, "sound"],
    ["bytes=0-99999", 206, whole.text],
    ["bytes=54-", 416, ""],
    ["bytes=8-4", 200, whole.text],
    ["bytes=0-1,4-5", 200, whole.text],
    ["lines=1-2", 200, whole.text],
  ];
  for (const [range, status, text] of ranges) {
    const part = await get(voice!.url, { range });
    assert.deepEqual([part.status, part.text], [status, text], range);
    const [, first, last] =
      /^bytes (\d+)-(\d+)\/54$/.exec(part.headers.get("content-range") ?? "") ?? [];
    const length = status === 206 ? String(Number(last) - Number(first) + 1) : undefined;
    if (length !== undefined) assert.equal(part.headers.get("content-length"), length, range);
  }
  const etag = whole.headers.get("etag")!;
  assert.equal((await get(voice!.url, { "if-none-match": etag })).status, 304);
  const head = await get(voice!.url, {}, "HEAD");
  assert.deepEqual([head.status, head.text], [200, ""]);

  // No address but a given one.
  const changed = [
    page!.url.replace(/s=./, (text) => text.endsWith("A") ? "s=B" : "s=A"),
    page!.url.replace(/e=[^&]*/, "e=zzzzzzzzz"),
    page!.url.replace(/&s=.*/, ""),
    voice!.url.replace(sound.id, html.id),
  ];
  for (const url of changed) assert.equal((await get(url)).status, 403, url);
  assert.equal((await get("/files/x/y")).status, 404);
}

testWith(
  ["postgres"],
  "files that are not taken leave nothing, and those that are run nowhere",
  async (t) => {
    const server = await startServer("postgres", LIMITS);
    const { agent: { token }, visitor, conversation } = await cast(server);
    try {
      await t.step("bad files", async () => {
        await testRefusals(server, token);
        await leaveHalfway(server, token, "half");
        await gone(server);
        const rows = await poll(
          () => inDatabase(server, (query) => query("select name, state from files")),
          (rows) => rows.length === 0,
          "no row of a file",
        );
        assert.deepEqual(rows, []);
      });

      await t.step("an upload that is repeated is one upload", async () => {
        const uploadId = "half";
        const first = await upload(server, token, "The whole file", { name: "half.txt", uploadId });
        assert.equal(first.status, 201);
        const again = await upload(server, token, "x".repeat(250_000), { name: "b.txt", uploadId });
        assert.deepEqual([again.status, again.body], [200, first.body]);
        const others = await upload(server, visitor.sessionId, "Mine", { uploadId });
        assert.equal(others.status, 201);
        assert.equal((await onDisk(server)).length, 2);
      });

      await t.step(
        "they are served so that nothing in them runs",
        () => testServing(server, token, conversation.id),
      );

      await t.step("a sender has so many bytes in an hour", async () => {
        const { sessionId } = visitor;
        for (let i = 0; i < 3; i++) {
          await uploaded(server, sessionId, new Uint8Array(300_000).fill(97));
        }
        const { status, body } = await upload<Problem>(server, sessionId, new Uint8Array(200_000));
        assert.deepEqual([status, body.code], [429, "rate_limited"]);
        assert.ok(body.retryAfter! > 3_000_000);
        assert.ok((body as { limit?: string }).limit === "LIMIT_UPLOAD_BYTES_PER_HOUR");
      });

      await t.step("what is never sent is deleted", async () => {
        const count = (await onDisk(server)).length;
        await inDatabase(server, (query) =>
          query(
            "update files set created_at = now() - interval '2 hours' where message_id is null",
          ));
        const { body: { items } } = await call<{ items: Message[] }>(
          server,
          "GET",
          `/api/conversations/${conversation.id}/messages`,
          { token },
        );
        // Something is deleted, so the cleaning begins at once.
        const path = await connect(server, { token });
        await path.ack("delete_message", {
          conversationId: conversation.id,
          messageId: items[0]!.id,
        });
        assert.ok(count > 4);
        await gone(server);
      });
      assert.deepEqual(server.errors, []);
    } finally {
      await within(server.close(), "the end of the server");
    }
  },
);

testWith(["postgres"], "nodes share a bucket, and nobody gets a file before its scan", async () => {
  const database = await makeDatabase();
  const bucket = startS3Server();
  const scanner = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const bad = (await request.text()).includes("EICAR");
    return bad ? new Response("Eicar FOUND", { status: 422 }) : new Response();
  });
  const nodes: TestServer[] = [];
  try {
    for (let i = 0; i < 2; i++) {
      nodes.push(
        await startServer("pglite", {
          ...sharedSettings("postgres", database.url),
          S3_ENDPOINT: bucket.endpoint,
          S3_BUCKET: bucket.bucket,
          S3_REGION: bucket.region,
          S3_ACCESS_KEY_ID: S3_KEYS.accessKeyId,
          S3_SECRET_ACCESS_KEY: S3_KEYS.secretAccessKey,
          FILE_SCAN_URL: `http://127.0.0.1:${scanner.addr.port}/`,
        }),
      );
    }
    const [one, two] = nodes as [TestServer, TestServer];
    const { agent: { token }, key, visitor, conversation } = await cast(one);
    const refused = await upload<Problem>(one, visitor.sessionId, "EICAR", { name: "x.txt" });
    assert.deepEqual([refused.status, refused.body.code], [422, "file_refused"]);
    assert.match(refused.body.detail, /Eicar FOUND$/);
    // Uploaded at one node, sent at the other, read at both, by those who may.
    const file = await uploaded(one, visitor.sessionId, png(SIZE), { name: "a.png" });
    const sent = await postFiles(two, visitor.sessionId, conversation.id, [file.id]);
    assert.equal(sent.status, 201);
    const [address] = await addresses(one, token, [file.id]);
    for (const node of nodes) {
      const response = await fetch(node.url + address!.url);
      assert.equal((await response.bytes()).length, file.size);
    }
    const stranger = await openSession(two, key);
    assert.deepEqual(await addresses(two, stranger.sessionId, [file.id]), []);
    // What the scan refused, and what is deleted, is gone from the bucket.
    await poll(() => bucket.objects.size, (size) => size === 1, "one object");
    const socket = await connect(two, { token });
    await socket.ack("delete_message", {
      conversationId: conversation.id,
      messageId: sent.body.id,
    });
    await poll(() => bucket.objects.size, (size) => size === 0, "an empty bucket");
    // Without its store a server says so, and takes files again when the store is back.
    bucket.broken = 503;
    const away = await upload<Problem>(one, token, "a", { uploadId: "again" });
    assert.deepEqual([away.status, away.body.code], [503, "unavailable"]);
    bucket.broken = null;
    assert.equal((await upload(one, token, "a", { uploadId: "again" })).status, 201);
  } finally {
    for (const node of nodes) await node.close();
    await scanner.shutdown();
    await bucket.close();
    await database.drop();
  }
});
