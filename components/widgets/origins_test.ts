import assert from "node:assert/strict";
import { originsSummary, readOrigin } from "./origins.ts";

const GOOD: [string, string][] = [
  ["https://shop.example.com", "https://shop.example.com"],
  [" shop.example.com/cart?x=1 ", "https://shop.example.com"],
  ["HTTPS://Shop.Example.com:443/", "https://shop.example.com"],
  ["http://shop.example.com:8080", "http://shop.example.com:8080"],
  ["localhost:3000", "http://localhost:3000"],
  ["https://intranet", "https://intranet"],
  ["bücher.example", "https://xn--bcher-kva.example"],
  ["*", "*"],
];

Deno.test("addresses become origins in the form that browsers send", () => {
  for (const [typed, origin] of GOOD) assert.deepEqual(readOrigin(typed), { origin }, typed);
});

Deno.test("an invalid address has an error", () => {
  for (const typed of ["shop", "", "a b.example.com", "https://", "me:secret@example.com"]) {
    assert.match((readOrigin(typed) as { error: string }).error, /Enter an address/, typed);
  }
  assert.match((readOrigin("https://*.example.com") as { error: string }).error, /subdomain/);
  assert.match((readOrigin("ftp://example.com") as { error: string }).error, /not ftp/);
});

Deno.test("a list is summarized in a few words", () => {
  assert.equal(originsSummary([]), "This server’s own pages only");
  assert.equal(originsSummary(["*"]), "Any website");
  assert.equal(
    originsSummary(["https://a.example", "http://b.example"]),
    "a.example and http://b.example",
  );
  assert.equal(originsSummary(["https://a.example", "b", "c"]), "a.example and 2 more");
});
