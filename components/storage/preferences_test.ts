import assert from "node:assert/strict";
import { clockOf, contextOpenOf, readCookie, themeOf } from "./preferences.ts";

Deno.test("cookies are found by their whole name", () => {
  assert.equal(readCookie("xparley_theme=dark; parley_theme=light", "parley_theme"), "light");
  assert.equal(readCookie("parley_zone=Europe%2FBerlin", "parley_zone"), "Europe/Berlin");
  assert.equal(readCookie("a=%E0%A4%A", "a"), null);
  assert.equal(readCookie(null, "a"), null);
});

Deno.test("unknown values are the defaults", () => {
  assert.equal(themeOf("parley_theme=pink"), "system");
  assert.equal(contextOpenOf(""), true);
  assert.equal(contextOpenOf("parley_context=closed"), false);
});

Deno.test("the clock takes the zone of the browser where it is valid", () => {
  const headers = (cookie: string) => new Headers({ cookie, "accept-language": "en-US,en" });
  assert.deepEqual(clockOf(headers("parley_zone=Asia%2FTokyo"), 5), {
    now: 5,
    zone: "Asia/Tokyo",
    locale: "en-US",
  });
  assert.equal(clockOf(headers("parley_zone=<script>"), 5).zone, "UTC");
});
