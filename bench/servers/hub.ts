/**
 * A whole Parley whose event bus the generator can trigger: events are announced as the writer
 * announces a committed batch.
 */
import { createEventBus } from "../../domain/events.ts";
import { createParley } from "../../server.ts";
import { readSettings } from "../../settings.ts";
import { control } from "./deno_control.ts";
import { CONVERSATION } from "./event.mjs";

const onError = (error: unknown) => console.error(error);
const bus = createEventBus(onError);
const parley = await createParley(readSettings(Deno.env.toObject()), {
  site: null,
  onError,
  bus,
  // Set by the benchmark of durable messages, to compare with one message per transaction.
  maxBatch: Number(Deno.env.get("BENCH_MAX_BATCH") ?? "500"),
});

const server = Deno.serve(
  { port: 0, hostname: "127.0.0.1", onListen: () => {} },
  (request, info) => parley.handle(request, info.remoteAddr.hostname),
);
control(server.addr.port, (events) => {
  bus.emit("conversation.logged", {
    conversationId: CONVERSATION,
    entries: events.map((event) => {
      const logged = { ...event, type: "message_deleted" } as const;
      return { seq: event.data.seq, forAgents: logged, forVisitors: logged };
    }),
  });
}, () => ({ ...parley.stats(), ...Deno.memoryUsage() }));
