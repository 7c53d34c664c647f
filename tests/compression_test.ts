/** What goes over the wire: codings, lengths and tags, as a client sees them that decodes nothing. */
import assert from "node:assert/strict";
import { type IncomingHttpHeaders, request } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { cast, post } from "./support/http.ts";
import { builtSite } from "./support/pages.ts";
import { startServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";

interface Raw {
  status: number;
  headers: IncomingHttpHeaders;
  body: Uint8Array;
}

function ask(url: string, headers: Record<string, string>, method = "GET"): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers, agent: false }, (response) => {
      const parts: Uint8Array[] = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () =>
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: new Uint8Array(Buffer.concat(parts)),
        }));
    });
    call.on("error", reject);
    call.end();
  });
}

const DECODE: Record<string, (body: Uint8Array) => Uint8Array> = {
  br: brotliDecompressSync,
  gzip: gunzipSync,
};

/** The same content in every coding, and smaller in each but the first. @returns its sizes */
async function sameInEach(url: string, extra: Record<string, string> = {}): Promise<number[]> {
  const plain = await ask(url, extra);
  assert.equal(plain.status, 200, url);
  assert.equal(plain.headers["content-encoding"], undefined, url);
  assert.match(plain.headers.vary ?? "", /accept-encoding/i, url);
  const sizes = [plain.body.length];
  for (const coding of ["gzip", "br"]) {
    const { headers, body } = await ask(url, { ...extra, "accept-encoding": coding });
    assert.equal(headers["content-encoding"], coding, `${url} in ${coding}`);
    assert.match(headers.vary ?? "", /accept-encoding/i, url);
    assert.deepEqual(new Uint8Array(DECODE[coding]!(body)), plain.body, `${url} in ${coding}`);
    sizes.push(body.length);
  }
  return sizes;
}

testWith(["postgres"], "large responses are compressed as the client accepts it", async (t) => {
  const server = await startServer("postgres", {}, await builtSite());
  try {
    const { url } = server;
    const signedIn = await ask(`${url}/login`, { "accept-encoding": "br" });
    const page = new TextDecoder().decode(DECODE["br"]!(signedIn.body));
    const assets = [...new Set(page.match(/\/assets\/[^"' ]+\.(?:js|css)/g))];
    assert.ok(assets.length > 3, "the page names its files");

    await t.step("built files, each coding with its own tag, length and 304", async () => {
      const files = [...assets, "/widget.js", "/favicon.svg", "/socket.io/socket.io.min.js"];
      for (const file of files) {
        const at = url + file;
        const plain = await ask(at, {});
        if (plain.body.length < 1500) continue;
        const [whole, zipped, small] = await sameInEach(at);
        assert.ok(small! <= zipped! && zipped! < whole! * 0.7, `${file}: ${small} of ${whole}`);
        const tags = new Set([plain.headers.etag]);
        for (const coding of ["gzip", "br"]) {
          const accepted = { "accept-encoding": coding };
          const full = await ask(at, accepted);
          tags.add(full.headers.etag);
          const head = await ask(at, accepted, "HEAD");
          assert.equal(head.headers["content-length"], String(full.body.length), file);
          assert.equal(head.headers["content-encoding"], coding);
          const known = { ...accepted, "if-none-match": full.headers.etag! };
          const same = await ask(at, known);
          assert.equal(same.status, 304);
          assert.match(same.headers.vary ?? "", /accept-encoding/i);
          const other = await ask(at, { ...accepted, "if-none-match": plain.headers.etag! });
          assert.equal(other.status, 200, "the tag of another coding");
          const part = await ask(at, { ...accepted, range: "bytes=0-9" });
          assert.deepEqual(part.body, full.body, "a range has the whole file");
        }
        assert.equal(tags.size, 3, file);
      }
      for (const file of assets) {
        const { headers } = await ask(url + file, { "accept-encoding": "br" });
        assert.match(headers["cache-control"]!, /immutable/);
      }
      const font = page.match(/\/assets\/[^"' ]+\.woff2/)![0];
      const { headers } = await ask(url + font, { "accept-encoding": "br" });
      assert.equal(headers["content-encoding"], undefined, "fonts are compressed already");
    });

    await t.step("pages and JSON, but no small ones", async () => {
      const { agent, visitor, conversation } = await cast(server);
      for (let i = 0; i < 20; i++) {
        await post(server, visitor.sessionId, conversation.id, `The question ${i} of the visitor`);
      }
      const authorization = `Bearer ${agent.token}`;
      const messages = `${url}/api/conversations/${conversation.id}/messages`;
      const [whole, , small] = await sameInEach(messages, { authorization });
      assert.ok(small! < whole! / 4, `${small} of ${whole}`);
      await sameInEach(`${url}/api/openapi.json`);
      await sameInEach(`${url}/api/docs`);
      await sameInEach(`${url}/login`);
      const few = await ask(`${url}/api/auth/me`, { authorization, "accept-encoding": "br" });
      assert.equal(few.headers["content-encoding"], undefined);
      const head = await ask(messages, { authorization, "accept-encoding": "br" }, "HEAD");
      assert.equal(head.body.length, 0);
      assert.match(head.headers.vary!, /accept-encoding/i);
    });

    await t.step("a tag of the API is weak where the bytes are not its own", async () => {
      const { agent } = await cast(server);
      const authorization = `Bearer ${agent.token}`;
      for (let i = 0; i < 30; i++) {
        await fetch(`${url}/api/labels`, {
          method: "POST",
          headers: { authorization, "content-type": "application/json" },
          body: JSON.stringify({ name: `label ${i}`, color: "red" }),
        }).then((response) => response.body?.cancel());
      }
      const plain = await ask(`${url}/api/labels`, { authorization });
      const coded = await ask(`${url}/api/labels`, { authorization, "accept-encoding": "br" });
      assert.equal(coded.headers.etag, `W/${plain.headers.etag}`);
      for (const tag of [plain.headers.etag!, coded.headers.etag!]) {
        const headers = { authorization, "accept-encoding": "br", "if-none-match": tag };
        const same = await ask(`${url}/api/labels`, headers);
        assert.equal(same.status, 304);
        assert.match(same.headers.vary!, /accept-encoding/i);
      }
    });
  } finally {
    await server.close();
  }
});
