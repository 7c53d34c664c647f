import assert from "node:assert/strict";
import { limitWords } from "./limit_words.ts";

Deno.test("a limit is shown in the largest unit that fits it", () => {
  const words: [string, number, string][] = [
    ["AUTH_TIMEOUT_MS", 10_000, "10 s"],
    ["TYPING_MS", 2_500, "2.5 s"],
    ["ACCESS_TOKEN_MS", 900_000, "15 min"],
    ["SESSION_MS", 7_776_000_000, "90 d"],
    ["DRAIN_MS", 0, "0 ms"],
    ["PRESENCE_GRACE_MS", 1_234, "1,234 ms"],
    ["MAX_MESSAGE_BYTES", 65_536, "64 KB"],
    ["MAX_QUEUE_BYTES", 1_048_576, "1 MB"],
    ["MAX_QUEUE_BYTES", 1_500, "1,500 B"],
    ["LIMIT_ROOM_BROADCASTS_PER_MINUTE", 1_000, "1,000"],
  ];
  for (const [name, value, expected] of words) assert.equal(limitWords(name, value), expected);
});
