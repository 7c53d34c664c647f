import assert from "node:assert/strict";
import { createChannelBroker } from "./broker_channel.ts";

/** Another worker of the process, with its own broker, that the test can keep busy. */
class BusyNode {
  readonly worker: Worker;
  #answer = Promise.withResolvers<unknown>();

  constructor(name: string) {
    const code = `
      import { createChannelBroker } from ${
      JSON.stringify(import.meta.resolve("./broker_channel.ts"))
    };
      const heard = [];
      let gaps = 0;
      const broker = createChannelBroker({
        name: ${JSON.stringify(name)}, node: "busy", maxKept: 1 << 20, onError: console.error,
      });
      broker.subscribe("r");
      broker.onBroadcast(({ exceptUser }) => heard.push(Number(exceptUser)));
      broker.onNodeMessage((message) => self.postMessage({ message, heard, gaps }));
      broker.onGap(() => gaps++);
      self.onmessage = ({ data }) => {
        self.postMessage("busy");
        const end = Date.now() + data;
        while (Date.now() < end);
      };
      self.postMessage("up");
    `;
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    this.worker = new Worker(url, { type: "module" });
    this.worker.onmessage = ({ data }) => {
      this.#answer.resolve(data);
      this.#answer = Promise.withResolvers();
    };
  }

  next(): Promise<unknown> {
    return this.#answer.promise;
  }

  async busyFor(ms: number): Promise<void> {
    const busy = this.next();
    this.worker.postMessage(ms);
    await busy;
  }
}

/** More posts than the runtime keeps for a worker that does not read them. */
async function publishPosts(
  broker: ReturnType<typeof createChannelBroker>,
  count: number,
  text = "",
): Promise<void> {
  for (let n = 1; n <= count; n++) {
    broker.publish({
      room: "r",
      forAgents: null,
      forVisitors: null,
      exceptUser: `${n}`,
      ...(text === "" ? {} : { text }),
    });
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

interface Report {
  message: unknown;
  heard: number[];
  gaps: number;
}

Deno.test("a worker that was busy receives what the runtime dropped, in order", async () => {
  const name = crypto.randomUUID();
  const busy = new BusyNode(name);
  assert.equal(await busy.next(), "up");
  const errors: unknown[] = [];
  const broker = createChannelBroker({
    name,
    node: "here",
    maxKept: 1 << 20,
    onError: (error) => errors.push(error),
  });
  broker.publishToNodes("first");
  await busy.next();
  await busy.busyFor(3000);
  const report = busy.next();
  await publishPosts(broker, 600);
  broker.publishToNodes("done");
  const { message, heard, gaps } = await report as Report;
  assert.equal(message, "done");
  assert.deepEqual(heard, Array.from({ length: 600 }, (_, i) => i + 1));
  assert.equal(gaps, 0);
  assert.deepEqual(errors, []);
  await broker.close();
  busy.worker.terminate();
});

Deno.test("a gap is reported to a worker if what it missed is not kept any more", async () => {
  const name = crypto.randomUUID();
  const busy = new BusyNode(name);
  assert.equal(await busy.next(), "up");
  const broker = createChannelBroker({ name, node: "here", maxKept: 20_000, onError: () => {} });
  broker.publishToNodes("first");
  await busy.next();
  await busy.busyFor(3000);
  const report = busy.next();
  await publishPosts(broker, 600, "x".repeat(1000));
  broker.publishToNodes("done");
  const { heard, gaps } = await report as Report;
  assert.equal(gaps, 1);
  assert.ok(heard.length < 600, `${heard.length} were heard`);
  assert.deepEqual(heard, heard.toSorted((a, b) => a - b));
  assert.equal(heard.at(-1), 600, "after the gap it goes on");
  await broker.close();
  busy.worker.terminate();
});
