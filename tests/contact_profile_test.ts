/** What agents see of a customer: who set what, visits, pages seen, and earlier conversations. */
import assert from "node:assert/strict";
import type { ContactProfile, SeenPage } from "../protocol/contacts.ts";
import type { Contact, Page } from "../protocol/model.ts";
import type { SessionResponse } from "../protocol/rest.ts";
import { enter, SECRET, sign } from "./protocols/scoped_peer.ts";
import { inDatabase } from "./support/fingerprint.ts";
import { call, cast, openSession, post } from "./support/http.ts";
import { onBothEngines, onEitherEngine, type TestServer } from "./support/server.ts";
import { connect } from "./support/socket.ts";

async function profileOf(server: TestServer, token: string, id: string): Promise<ContactProfile> {
  const answer = await call<ContactProfile>(server, "GET", `/api/contacts/${id}/profile`, {
    token,
  });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

const urls = (pages: { url: string }[]) => pages.map(({ url }) => url.replace(/.*\//, "/"));

onEitherEngine("an attribute says who set it, and what is verified stays", async (server) => {
  const { agent: { token }, key, visitor } = await cast(server);
  const { id } = visitor.contact;
  const identify = (body: object) =>
    call<SessionResponse>(server, "POST", "/api/sessions", {
      body: { widgetKey: key, sessionId: visitor.sessionId, ...body },
    });
  const patch = (attributes: object) =>
    call<Contact>(server, "PATCH", `/api/contacts/${id}`, { token, body: { attributes } });

  const given = { plan: "free", seats: 3, beta: true };
  assert.equal((await identify({ name: "Grace", attributes: given })).status, 200);
  assert.equal((await patch({ plan: "gold", seats: null, "customer no": "007" })).status, 200);
  // The page still says what it knew.
  await identify({ attributes: given });
  await call(server, "PATCH", `/api/contacts/${id}`, { token, body: { email: "g@x.example" } });

  const { attributes, provenance } = await profileOf(server, token, id);
  assert.deepEqual(attributes.map(({ at: _, ...rest }) => rest), [
    { name: "beta", value: true, source: "visitor", verified: false, by: null },
    { name: "customer no", value: "007", source: "agent", verified: true, by: "ada" },
    { name: "plan", value: "gold", source: "agent", verified: true, by: "ada" },
    { name: "seats", value: 3, source: "visitor", verified: false, by: null },
  ]);
  assert.deepEqual([provenance.name?.source, provenance.email?.source], ["visitor", "agent"]);

  // Too many, and what is no value: all of it is refused, and nothing is lost.
  const many = Object.fromEntries(Array.from({ length: 47 }, (_, i) => [`a${i}`, i]));
  for (const bad of [many, { x: [1] }, { ["n".repeat(61)]: 1 }, { y: "v".repeat(501) }]) {
    const { status, body } = await patch(bad);
    assert.equal(status, 422, JSON.stringify(body));
    assert.match(JSON.stringify(body), /attributes/);
  }
  assert.equal((await profileOf(server, token, id)).attributes.length, 4);
  const own = { token: visitor.sessionId };
  for (const path of ["profile", "pages"]) {
    assert.equal((await call(server, "GET", `/api/contacts/${id}/${path}`, own)).status, 403);
  }
});

onEitherEngine("a participant's name and id are verified by their token", async (server) => {
  const { agent: { token } } = await cast(server);
  const ann = await enter(server, await sign({ sub: "ann-7", name: "Ann", contexts: ["A"] }), "A");
  await ann.ask("message", { content: "Hello" });
  const named = await enter(
    server,
    await sign({ sub: "ann-7", name: "Anna", contexts: ["A"] }),
    "A",
  );
  const { identities, provenance } = await profileOf(server, token, named.me.userId);
  assert.deepEqual(
    identities.map(({ platform, externalId, verified }) => [
      platform,
      externalId,
      verified,
    ]),
    [["token", "ann-7", true]],
  );
  assert.deepEqual([provenance.name?.source, provenance.name?.verified], ["token", true]);
}, { JWT_SECRET: SECRET });

onBothEngines("pages are stored of contacts who wrote, and of nobody else", async (server) => {
  const { agent: { token }, key, visitor, conversation } = await cast(server);
  const silent = await openSession(server, key);
  const writes = await connect(server, { sessionId: visitor.sessionId });
  const reads = await connect(server, { sessionId: silent.sessionId });
  const see = (socket: typeof writes, path: string, more: Partial<Page> = {}) =>
    socket.ack("page", { url: `https://shop.example/${path}`, ...more });
  await see(writes, "first", { title: "Home", referrer: "https://search.example/?q=lamp" });
  await see(writes, "second");
  await see(writes, "second", { title: "Lamps" });
  await see(reads, "secret");
  const pagesOf = async (id: string) =>
    (await call<{ items: SeenPage[] }>(server, "GET", `/api/contacts/${id}/pages`, { token })).body
      .items;
  assert.deepEqual(urls(await pagesOf(silent.contact.id)), ["/secret"]);

  // The first message stores what was seen before it.
  await post(server, visitor.sessionId, conversation.id, "Do you have lamps?");
  await see(writes, "third");
  await see(writes, "third");
  assert.deepEqual(urls(await pagesOf(visitor.contact.id)), ["/third", "/second", "/first"]);
  const { pages, referrer, visits } = await profileOf(server, token, visitor.contact.id);
  assert.deepEqual(pages.map(({ title }) => title), [undefined, "Lamps", "Home"]);
  assert.equal(referrer, "https://search.example/?q=lamp");
  assert.equal(visits.length, 1);

  // Only so many are kept, and pages of the list follow each other.
  for (let i = 0; i < 5; i++) await see(writes, `page${i}`);
  const first = await call<{ items: SeenPage[]; nextCursor: string }>(
    server,
    "GET",
    `/api/contacts/${visitor.contact.id}/pages?limit=2`,
    { token },
  );
  const next = await call<typeof first.body>(
    server,
    "GET",
    `/api/contacts/${visitor.contact.id}/pages?limit=2&cursor=${first.body.nextCursor}`,
    { token },
  );
  assert.deepEqual(urls([...first.body.items, ...next.body.items]), [
    "/page4",
    "/page3",
    "/page2",
    "/page1",
  ]);
  assert.equal(next.body.nextCursor, null);
  await inDatabase(server, async (query) => {
    const tables = await query(
      "select table_name as name from information_schema.tables where table_schema = 'public'",
    );
    const texts = await Promise.all(tables.map(async ({ name }) => {
      const rows = await query(`select to_jsonb(t)::text as row from "${name}" t`);
      return rows.map(({ row }) => row).join("\n");
    }));
    const all = texts.join("\n");
    assert.ok(all.includes("shop.example/page4") && !all.includes("shop.example/secret"));
  });
}, { MAX_PAGES_PER_CONTACT: "4" });

onBothEngines("a conversation that was resolved is an earlier one", async (server) => {
  const { agent: { token }, visitor, conversation } = await cast(server);
  const path = `/api/conversations/${conversation.id}`;
  const resolve = () => call(server, "PATCH", path, { token, body: { status: "resolved" } });
  await post(server, visitor.sessionId, conversation.id, "Where is my parcel?");
  await post(server, token, conversation.id, "At your neighbour's.");
  await resolve();
  await post(server, visitor.sessionId, conversation.id, "It is **broken**\n- quite");
  await resolve();
  await post(server, token, conversation.id, "A new one is on its way.");

  const { episodes } = await profileOf(server, token, visitor.contact.id);
  assert.deepEqual(episodes.map(({ preview, status, messages }) => [preview, status, messages]), [
    ["", "resolved", 1],
    ["It is broken quite", "resolved", 1],
    ["Where is my parcel?", "resolved", 2],
  ]);
  // The parts follow each other without a gap.
  assert.deepEqual(
    episodes.map(({ afterSeq }) => afterSeq),
    [...episodes.slice(1).map(({ toSeq }) => toSeq), 0],
  );
});
