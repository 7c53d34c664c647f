/** All stores do the same. PARLEY_TEST_S3_URL ("http://key:secret@host/bucket") is one more of them. */
import assert from "node:assert/strict";
import { ParleyError } from "../../protocol/errors.ts";
import { S3_KEYS, type S3Server, startS3Server } from "../../tests/support/s3_server.ts";
import { makeTempDir } from "../../tests/support/temp_dir.ts";
import { createDiskStore } from "./disk_store.ts";
import { createS3Store } from "./s3_store.ts";
import { type FileStore, newStorageKey } from "./store.ts";

const PART = 5 * 1024 * 1024;

async function* inPieces(size: number, count: number, broken = false) {
  for (let i = 0; i < count; i++) {
    await Promise.resolve();
    yield new Uint8Array(size).fill(i + 1);
  }
  if (broken) throw new Error("the sender is gone");
}

async function read(store: FileStore, key: string, range?: { from: number; to: number }) {
  const stream = await store.get(key, range);
  return stream === null
    ? null
    : new Uint8Array(await new Response(stream as BodyInit).arrayBuffer());
}

async function testStore(store: FileStore): Promise<void> {
  const [small, empty, large, broken] = [0, 1, 2, 3].map(newStorageKey) as [
    string,
    string,
    string,
    string,
  ];
  await store.put(small, inPieces(10, 3));
  assert.deepEqual([...(await read(store, small))!].slice(8, 12), [1, 1, 2, 2]);
  assert.deepEqual([...(await read(store, small, { from: 18, to: 21 }))!], [2, 2, 3, 3]);
  await store.put(empty, inPieces(0, 1));
  assert.deepEqual(await read(store, empty), new Uint8Array(0));

  const size = 1_000_000;
  await store.put(large, inPieces(size, 12));
  const whole = (await read(store, large))!;
  assert.equal(whole.length, 12 * size);
  assert.ok(
    Array.from({ length: 12 }, (_, i) => whole[i * size]).every((byte, i) => byte === i + 1),
  );
  assert.equal((await read(store, large, { from: size * 6, to: size * 9 - 1 }))!.length, size * 3);

  for (const count of [1, 7]) {
    await assert.rejects(store.put(broken, inPieces(size, count, true)), /the sender is gone/);
    assert.equal(await read(store, broken), null);
  }
  await store.remove([small, empty, large, broken]);
  for (const key of [small, empty, large]) assert.equal(await read(store, key), null);
  await store.remove([small]);
}

const s3At = ({ endpoint, bucket, region }: S3Server) =>
  createS3Store({ endpoint, bucket, region, ...S3_KEYS, partBytes: PART });

Deno.test("files on a disk are all there or not, and leave nothing when they are removed", async () => {
  const dataDir = await makeTempDir();
  await testStore(createDiskStore({ dataDir, minFreeBytes: 0 }));
  const full = createDiskStore({ dataDir, minFreeBytes: Number.MAX_SAFE_INTEGER });
  await assert.rejects(
    full.put(newStorageKey(), inPieces(10, 1)),
    (error) => error instanceof ParleyError && error.code === "unavailable",
  );
  const left = [];
  for await (const { name } of Deno.readDir(`${dataDir}/files/unfinished`)) left.push(name);
  assert.deepEqual(left, []);
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("files in a bucket are signed, in parts where they are large, and ended where they fail", async () => {
  const server = startS3Server();
  try {
    await testStore(s3At(server));
    assert.equal(server.objects.size, 0);
    assert.equal(server.uploads.size, 0);
    const wrong = createS3Store({
      ...server,
      ...S3_KEYS,
      secretAccessKey: "another",
      partBytes: PART,
    });
    const isAway = (error: unknown) => error instanceof ParleyError && error.code === "unavailable";
    await assert.rejects(wrong.put(newStorageKey(), inPieces(10, 1)), isAway);
    server.broken = 503;
    await assert.rejects(s3At(server).put(newStorageKey(), inPieces(10, 1)), isAway);
    await assert.rejects(s3At(server).get(newStorageKey()), isAway);
  } finally {
    await server.close();
  }
});

const given = Deno.env.get("PARLEY_TEST_S3_URL");
Deno.test({
  name: "files in the bucket of PARLEY_TEST_S3_URL",
  ignore: given === undefined,
  async fn() {
    const url = new URL(given!);
    await testStore(createS3Store({
      endpoint: url.origin,
      bucket: url.pathname.slice(1),
      region: url.searchParams.get("region") ?? "us-east-1",
      accessKeyId: url.username,
      secretAccessKey: url.password,
      partBytes: PART,
    }));
  },
});
