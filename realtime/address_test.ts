import assert from "node:assert/strict";
import { createPeerReader, isForwarded, isPrivateAddress } from "./address.ts";

function read(trusted: string[], remote: string, headers: Record<string, string>) {
  const request = new Request("http://inner:8000/realtime", {
    headers: { host: "chat.example", ...headers },
  });
  return createPeerReader(trusted)(request, remote);
}

Deno.test("createPeerReader() ignores the headers of an untrusted peer", () => {
  const peer = read(["10.0.0.0/8"], "203.0.113.9", {
    "x-forwarded-for": "198.51.100.1",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
  });
  assert.deepEqual(peer, {
    address: "203.0.113.9",
    selfOrigin: "http://chat.example",
    isLoopback: false,
    isLocal: false,
  });
});

Deno.test("createPeerReader() ignores the Host header if the server's origin is given", () => {
  const read = createPeerReader(["10.0.0.1"], { ownOrigin: "https://chat.example.com" });
  const forwarded = { "x-forwarded-host": "evil.example", "x-forwarded-proto": "http" };
  for (const [remote, headers] of [["192.0.2.1", {}], ["10.0.0.1", forwarded]] as const) {
    const request = new Request("http://evil.example/", { headers });
    assert.equal(read(request, remote).selfOrigin, "https://chat.example.com");
  }
});

Deno.test("createPeerReader() calls a peer local only without a proxy and with a local Host", () => {
  const isLocal = (url: string, remote: string, headers: Record<string, string> = {}) =>
    createPeerReader([])(new Request(url, { headers }), remote).isLocal;
  assert.ok(isLocal("http://localhost:8000/", "127.0.0.1"));
  assert.ok(isLocal("http://[::1]:8000/", "::1"));
  assert.ok(!isLocal("http://localhost:8000/", "172.17.0.1"));
  // A foreign name that resolves to this machine, and an unlisted proxy on this machine.
  assert.ok(!isLocal("http://evil.example:8000/", "127.0.0.1"));
  for (const header of ["via", "forwarded", "x-forwarded-proto", "x-forwarded-host"]) {
    assert.ok(!isLocal("http://localhost/", "127.0.0.1", { [header]: "x" }), header);
  }
});

Deno.test("createPeerReader() returns the last hop that is not a trusted proxy", () => {
  const forwarded = { "x-forwarded-for": "6.6.6.6, 198.51.100.1, 10.1.2.3" };
  assert.equal(read(["10.0.0.0/8"], "10.9.9.9", forwarded).address, "198.51.100.1");
  assert.equal(read(["10.9.9.9"], "10.9.9.9", forwarded).address, "10.1.2.3");
  assert.equal(read(["10.9.9.9"], "::ffff:10.9.9.9", forwarded).address, "10.1.2.3");
  const junk = { "x-forwarded-for": "198.51.100.1, not an address" };
  assert.equal(read(["10.9.9.9"], "10.9.9.9", junk).address, "10.9.9.9");
  const six = { "x-forwarded-for": "[2001:db8::7]:4711" };
  assert.equal(read(["fd00::/8"], "fd12::1", six).address, "2001:db8::7");
});

Deno.test("createPeerReader() reads the public origin from a trusted proxy", () => {
  const peer = read(["127.0.0.1"], "127.0.0.1", {
    "x-forwarded-for": "198.51.100.1",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "chat.example.com",
  });
  assert.equal(peer.selfOrigin, "https://chat.example.com");
  assert.equal(peer.isLoopback, false);
  assert.equal(read([], "127.0.0.1", {}).isLoopback, true);
});

Deno.test("isPrivateAddress() is true for this machine and private networks", () => {
  const inside = ["127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "::1"];
  for (const address of [...inside, "fd12::1"]) assert.equal(isPrivateAddress(address), true);
  const outside = ["172.32.0.1", "11.0.0.1", "203.0.113.9", "2001:db8::1", "unknown", ""];
  for (const address of outside) assert.equal(isPrivateAddress(address), false, address);
});

Deno.test("isForwarded() notices an unlisted proxy", () => {
  assert.equal(isForwarded(new Request("http://x/")), false);
  const headers = { "x-forwarded-for": "127.0.0.1" };
  assert.equal(isForwarded(new Request("http://x/", { headers })), true);
});

Deno.test("createPeerReader() on a platform that terminates TLS and forwards over its own socket", () => {
  const read = createPeerReader([], { hosted: true });
  const request = {
    url: "http+vsock://chat.example.com/realtime",
    headers: new Headers({ host: "chat.example.com" }),
  } as Request;
  assert.deepEqual(read(request, "::ffff:203.0.113.9"), {
    address: "203.0.113.9",
    selfOrigin: "https://chat.example.com",
    isLoopback: false,
    isLocal: false,
  });
  assert.equal(read(request, "127.0.0.1").isLoopback, false);
  assert.equal(createPeerReader([])(request, "203.0.113.9").selfOrigin, "http://chat.example.com");
});
