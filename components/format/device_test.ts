import assert from "node:assert/strict";
import { deviceWords, isHandheld } from "./device.ts";

Deno.test("a device is named in everyday words", () => {
  const windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
  const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
  const mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";
  const cases: [string | null, string][] = [
    [`${windows} ${webkit} Chrome/141.0.0.0 Safari/537.36`, "Chrome on Windows"],
    [`${windows} ${webkit} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0`, "Edge on Windows"],
    [`${mac} ${webkit} Version/19.0 Safari/605.1.15`, "Safari on macOS"],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", "Firefox on Linux"],
    [
      `Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/141.0 Safari/537.36`,
      "Chrome on Android",
    ],
    [`Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1`, "Safari on iPhone"],
    ["curl/8.5.0", "curl/8.5.0"],
    ["x".repeat(300), `${"x".repeat(40)}…`],
    [" ", "Unknown device"],
    [null, "Unknown device"],
  ];
  for (const [userAgent, words] of cases) assert.equal(deviceWords(userAgent), words);
  assert.ok(isHandheld(cases[5]![0]) && !isHandheld(cases[0]![0]) && !isHandheld(null));
});
