import assert from "node:assert/strict";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { logMigrated, redact, textLine } from "./logging.ts";

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
const SECRET = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF";

Deno.test("redact() takes credentials out of whatever an error says", () => {
  const lines = [
    `failed at /api/v1/ws?token=${JWT}&x=1`,
    `failed at /api/v1/ws?sessionId=${SECRET}`,
    `Authorization: Bearer ${SECRET}`,
    `cookie: parley_refresh=${SECRET}`,
    `connect to postgres://parley:hunter2hunter2@db:5432/parley`,
    JSON.stringify({ message: JSON.stringify({ password: "hunter2hunter2" }) }),
    `password=hunter2hunter2`,
    `Key (session_id)=(${SECRET}) already exists`,
    `apiKey: '${SECRET}'`,
  ];
  for (const line of lines) {
    const safe = redact(line);
    for (const secret of [JWT, SECRET, "hunter2"]) {
      assert.ok(!safe.includes(secret), `${line} became ${safe}`);
    }
  }
});

Deno.test("redact() leaves what an operator needs", () => {
  const line = JSON.stringify({
    connection: "a1b2c3d4-17",
    user: "019a5f6e-7c1d-7e6f-8a9b-0c1d2e3f4a5b",
    reason: 'relation "tokens" does not exist at 10.0.0.7:5432',
    code: 4001,
  });
  assert.equal(redact(line), line);
});

Deno.test("what strangers send begins no line of its own, and moves no cursor", () => {
  const record: LogRecord = {
    category: ["parley", "realtime"],
    level: "warning",
    timestamp: Date.UTC(2026, 10, 30),
    rawMessage: "Handshake refused: {reason}",
    message: ["Handshake refused: ", "transport\r\nforged", ""],
    properties: {
      reason: "transport\r\nforged",
      sent: "\n2026-11-30T00:00:00.000Z INFO    forged \u001b[2J\u2028",
      stack: "Error: one\n2026-11-30T00:00:00.000Z INFO    forged\u001b[2J\n    at two",
    },
  };
  const [line, ...stack] = textLine(record).split("\n");
  assert.equal(
    line,
    "2026-11-30T00:00:00.000Z WARNING Handshake refused: transport\\u000d\\u000aforged" +
      " sent=\\u000a2026-11-30T00:00:00.000Z INFO    forged \\u001b[2J\\u2028",
  );
  assert.deepEqual(stack, [
    "    Error: one",
    "    2026-11-30T00:00:00.000Z INFO    forged\\u001b[2J",
    "        at two",
  ]);
});

Deno.test("a new database is one line with its place, an old one with the names that ran", async () => {
  const lines: string[] = [];
  await configure({
    sinks: { lines: (record) => void lines.push(textLine(record).replace(/^\S+ /, "")) },
    loggers: [
      { category: "parley", sinks: ["lines"] },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "error" },
    ],
  });
  try {
    const all = ["001_conversations", "002_store_functions"];
    logMigrated(all, { dataDir: "./data" });
    logMigrated(all, { url: "postgres://u:hunter2@db/parley", dataDir: "./data" });
    logMigrated(all.slice(1), { dataDir: "./data" });
  } finally {
    await reset();
  }
  assert.deepEqual(lines, [
    'INFO    The database was created in "./data" schema=002_store_functions',
    "INFO    The tables of the database were created schema=002_store_functions",
    'INFO    The schema was brought up to date: 002_store_functions migrated=["002_store_functions"]',
  ]);
});
