/**
 * The writer of a tree, without sockets. A line "size count" makes it store `count` batches of
 * `size` messages to as many conversations, one batch after the other; it replies with milliseconds
 * per batch. BENCH_TREE is the tree whose code runs.
 */
const tree = Deno.env.get("BENCH_TREE")!;
const [{ openDatabase }, { createEventBus }, { createWriter }] = await Promise
  .all([
    import(`${tree}db/database.ts`),
    import(`${tree}domain/events.ts`),
    import(`${tree}domain/conversations/writer.ts`),
  ]);

// Not from the settings of the tree, whose shape is another one in each revision.
const { db, epoch, close } = await openDatabase({
  url: Deno.env.get("DATABASE_URL"),
  dataDir: Deno.env.get("DATA_DIR"),
  pool: Number(Deno.env.get("DATABASE_POOL") ?? "10"),
});
const bus = createEventBus((error: unknown) => console.error(error));
const writer = createWriter({ db, bus, epoch, maxPending: 100_000 });
const CONTENT = "The parcel arrived yesterday, but the lamp in it is broken. ".repeat(3);
const idOf = (group: string, i: number) =>
  `00000000-0000-4000-${group}-${i.toString(16).padStart(12, "0")}`;
let sent = 0;

function store(conversation: number): Promise<unknown> {
  return writer.write({
    kind: "message",
    conversationId: idOf("9000", conversation),
    actor: {
      userId: idOf("8000", conversation),
      userName: "Visitor",
      role: "visitor",
      principal: null,
    },
    content: CONTENT,
    clientMessageId: `m${++sent}`,
    isPrivate: false,
  });
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
console.log(JSON.stringify({ ready: true }));
for await (const line of lines) {
  const [size, count] = line.trim().split(" ").map(Number) as [number, number];
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    await Promise.all(Array.from({ length: size }, (_, n) => store(n)));
  }
  console.log(JSON.stringify((performance.now() - start) / count));
}
await close();
