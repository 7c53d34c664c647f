import assert from "node:assert/strict";
import {
  EVERYTHING,
  filterFrames,
  type Frame,
  framesAsText,
  MAX_FRAMES,
  MAX_TEXT,
  prettyFrame,
  withFrame,
} from "./frames.ts";

const AT = Date.UTC(2026, 10, 20, 12);

function logOf(...frames: [Frame["direction"], Frame["kind"], string][]): Frame[] {
  return frames.reduce<Frame[]>(
    (log, [direction, kind, text]) => withFrame(log, { direction, kind, text, at: AT }),
    [],
  );
}

Deno.test("the type of a frame is in its protocol's words", () => {
  const types: [Frame["kind"], string, string][] = [
    ["json", '{"type":"chat","payload":{}}', "chat"],
    ["json", "[1]", "message"],
    ["json", "nonsense", "not JSON"],
    ["lines", '{"type":"ack","id":1}\n{"type":"typing"}\n', "ack, typing"],
    ["engine", '0{"sid":"a"}', "open"],
    ["engine", "2", "ping"],
    ["engine", '40{"sid":"a"}', "connect"],
    ["engine", '42["message_received",{"seq":1}]', "message_received"],
    ["engine", '42/chat,17["send_message",{}]', "send_message"],
    ["engine", '430[{"success":true}]', "ack"],
    ["engine", '44{"message":"no"}', "connect_error"],
    ["http", 'POST /api/sessions\n{"a":1}', "POST /api/sessions"],
  ];
  for (const [kind, text, type] of types) assert.equal(logOf(["in", kind, text])[0]!.type, type);
});

Deno.test("the log keeps a bounded number of frames and a bounded length, the newest ones", () => {
  let log: Frame[] = [];
  for (let i = 0; i < MAX_FRAMES + 7; i++) {
    log = withFrame(log, { direction: "in", kind: "json", text: `{"type":"n${i}"}`, at: AT });
  }
  assert.equal(log.length, MAX_FRAMES);
  assert.deepEqual([log[0]!.type, log.at(-1)!.type], ["n7", `n${MAX_FRAMES + 6}`]);
  assert.equal(log.at(-1)!.id, MAX_FRAMES + 7);
  const big = "x".repeat(MAX_TEXT / 2);
  const heavy = logOf(["in", "json", big], ["in", "json", big], ["in", "json", big]);
  assert.deepEqual(heavy.map(({ id }) => id), [2, 3]);
  // A frame that is too large by itself still shows, because it is the newest.
  assert.equal(logOf(["in", "json", big], ["in", "json", "y".repeat(MAX_TEXT + 1)]).length, 1);
});

Deno.test("the filter selects by direction, type and text, and can hide pings", () => {
  const log = logOf(
    ["out", "json", '{"type":"ping"}'],
    ["in", "lines", '{"type":"heartbeat"}'],
    ["in", "lines", '{"type":"pong"}\n{"type":"message","data":{"content":"Hi"}}'],
    ["note", "json", "Opening ws://here"],
    ["out", "engine", "3"],
  );
  const ids = (filter: Partial<typeof EVERYTHING>) =>
    filterFrames(log, { ...EVERYTHING, ...filter }).map(({ id }) => id);
  assert.deepEqual(ids({}), [1, 2, 3, 4, 5]);
  assert.deepEqual(ids({ direction: "out" }), [1, 5]);
  assert.deepEqual(ids({ pings: false }), [3, 4]);
  assert.deepEqual(ids({ query: " hI" }), [3]);
  assert.deepEqual(ids({ query: "WS://" }), [4]);
});

Deno.test("a frame is formatted over several lines, and other text stays as it is", () => {
  const pretty = (kind: Frame["kind"], text: string) =>
    prettyFrame({ kind, text, direction: "in" });
  assert.equal(pretty("json", '{"a":[1]}'), '{\n  "a": [\n    1\n  ]\n}');
  assert.equal(pretty("lines", '{"a":1}\n{"b":2}'), '{\n  "a": 1\n}\n{\n  "b": 2\n}');
  assert.equal(pretty("engine", '42["x",{"a":1}]').split("\n")[0], "42");
  assert.equal(pretty("engine", "2"), "2");
  assert.equal(pretty("http", '200 OK\n{"a":1}'), '200 OK\n{\n  "a": 1\n}');
  assert.equal(pretty("json", "nonsense"), "nonsense");
});

Deno.test("copied frames contain no tokens and no session ids", () => {
  const token = "eyJhbGciOiJIUzI1NiJ9.secret.secret";
  const text = framesAsText(logOf(
    ["note", "json", `Opening ws://h/api/v1/ws?token=${token}&x=1`],
    ["out", "lines", `{"type":"auth","data":{"token":"${token}"}}`],
    ["out", "engine", `40{"sessionId":"${token}"}`],
    ["in", "json", '{"type":"chat","payload":{"content":"token"}}'],
  ));
  assert.doesNotMatch(text, /secret/);
  const lines = text.split("\n");
  assert.equal(lines[0], "2026-11-20T12:00:00.000Z · Opening ws://h/api/v1/ws?token=…&x=1");
  assert.equal(lines[1], '2026-11-20T12:00:00.000Z → {"type":"auth","data":{"token":"…"}}');
  assert.match(lines[3]!, /← .*"content":"token"/);
});
