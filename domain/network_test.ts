import assert from "node:assert/strict";
import { createRanges, isRange, networkOf, parseAddress } from "./network.ts";
import { NetworkLimiter } from "./rate_limit.ts";

Deno.test("networkOf() takes the /64 of an IPv6 address, however it is written", () => {
  const same = [
    "2001:db8:1:2::1",
    "2001:DB8:1:2:ffff:ffff:ffff:ffff",
    "2001:0db8:0001:0002::",
    "2001:db8:1:2::1%eth0",
    "2001:db8:1:2::203.0.113.9",
  ];
  for (const address of same) assert.equal(networkOf(address), "2001:db8:1:2::/64", address);
  assert.notEqual(networkOf("2001:db8:1:3::1"), networkOf("2001:db8:1:2::1"));
  assert.equal(networkOf("::1"), "0:0:0:0::/64");
});

Deno.test("networkOf() takes an IPv4 address for itself, also where it is mapped into IPv6", () => {
  const written = [
    "203.0.113.9",
    "::ffff:203.0.113.9",
    "::FFFF:cb00:7109",
    "0:0:0:0:0:ffff:cb00:7109",
  ];
  for (const address of written) assert.equal(networkOf(address), "203.0.113.9", address);
  assert.notEqual(networkOf("203.0.113.10"), "203.0.113.9");
});

Deno.test("parseAddress() refuses what is no address, and that is its own network", () => {
  const none = [
    "",
    "unknown",
    "1.2.3",
    "1.2.3.256",
    "2001:db8",
    "1::2::3",
    "::fffff",
    "::1.2.3",
    ":::",
  ];
  for (const text of none) {
    assert.equal(parseAddress(text), null, text);
    assert.equal(networkOf(text), text);
  }
});

Deno.test("createRanges() finds an address however it is written", () => {
  const isIn = createRanges(["10.1.2.3/8", "192.0.2.7", "2001:db8::/32", "::ffff:172.16.0.0/108"]);
  const inside = [
    "10.255.0.1",
    "::ffff:10.0.0.1",
    "192.0.2.7",
    "::ffff:c000:207",
    "2001:DB8:5::1",
    "2001:db8:ffff::1%eth0",
    "172.31.255.255",
  ];
  for (const address of inside) assert.equal(isIn(address), true, address);
  const outside = ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::10.0.0.1", "172.32.0.1", "", "10.x"];
  for (const address of outside) assert.equal(isIn(address), false, address);
  assert.equal(createRanges([])("127.0.0.1"), false);
  assert.equal(createRanges(["0.0.0.0/0"])("198.51.100.1"), true);
});

Deno.test("isRange() refuses what would match nothing, or more than it seems to", () => {
  for (const range of ["10.0.0.0/8", "10.0.0.1", "::1", "::/0", "fe80::/10", "0.0.0.0/0"]) {
    assert.equal(isRange(range), true, range);
  }
  const bad = ["", "localhost", "10.0.0", "256.0.0.1", "10.0.0.0/33", "::/129", "10.0.0.0/"];
  for (const range of [...bad, "10.0.0.0/8/8", "10.0.0.0/x", "10.0.0.0/-1", "1::2::3"]) {
    assert.equal(isRange(range), false, range);
    assert.throws(() => createRanges([range]), TypeError);
  }
});

Deno.test("NetworkLimiter counts all addresses of one /64 together", () => {
  const limiter = new NetworkLimiter(3, 60_000, { now: () => 0 });
  const taken = Array.from({ length: 12 }, (_, i) => limiter.take(`2001:db8::${i + 1}`));
  assert.deepEqual(taken.map((wait) => wait === 0), [true, true, true, ...Array(9).fill(false)]);
  assert.equal(limiter.take("2001:db8:0:1::1"), 0);
});
