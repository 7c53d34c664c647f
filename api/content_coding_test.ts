import assert from "node:assert/strict";
import { acceptedCoding, type Coding } from "./content_coding.ts";

const chosen = (header: string | null, offered?: Coding[]) =>
  acceptedCoding(
    new Request("http://localhost/", {
      headers: header === null ? {} : { "accept-encoding": header },
    }),
    offered,
  );

Deno.test("the coding is the one that the client prefers, and never one that it refuses", () => {
  const cases: [string | null, Coding | null][] = [
    [null, null],
    ["", null],
    ["gzip, deflate, br, zstd", "br"],
    ["gzip", "gzip"],
    ["X-GZIP", "gzip"],
    ["GZIP;Q=0.5, br;q=0.4", "gzip"],
    ["br;q=0, gzip;q=0", null],
    ["br;q=0.000, *", "gzip"],
    ["*", "br"],
    ["*;q=0", null],
    ["identity", null],
    ["identity;q=1, br;q=0.5", null],
    ["identity;q=0.5, br", "br"],
    ["identity;q=0, gzip", "gzip"],
    ["br;q=nonsense, gzip", "gzip"],
    ["deflate, brotli", null],
  ];
  for (const [header, wanted] of cases) assert.equal(chosen(header), wanted, String(header));
  assert.equal(chosen("br, gzip;q=0.1", ["gzip"]), "gzip");
  assert.equal(chosen("br", []), null);
});
