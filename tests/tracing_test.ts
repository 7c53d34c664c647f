/** Spans of Parley's own, at a collector as the runtime exports them, and what is in none of them. */
import assert from "node:assert/strict";
import { tracingWarning } from "../domain/tracing.ts";
import { call, cast } from "./support/http.ts";
import { startProcess } from "./support/process.ts";
import { ADMIN } from "./support/server.ts";
import { connect } from "./support/socket.ts";
import { makeDataDir } from "./support/template.ts";

interface SentSpan {
  name: string;
  attributes: { key: string; value: Record<string, unknown> }[];
  status: { code: number; message: string };
  startTimeUnixNano: string;
  endTimeUnixNano: string;
}

function spansOf(body: string): SentSpan[] {
  const { resourceSpans } = JSON.parse(body) as {
    resourceSpans: { scopeSpans: { scope: { name: string }; spans: SentSpan[] }[] }[];
  };
  return resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({ ...span, name: `${scope.name} ${span.name}` }))
    )
  );
}

const attribute = (span: SentSpan, key: string) =>
  Object.values(span.attributes.find((one) => one.key === key)?.value ?? {})[0];

Deno.test("spans say what was done, and nothing of whom or with which secret", async () => {
  const sent = { traces: [] as string[], all: [] as string[] };
  const collector = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const body = await request.text();
      if (new URL(request.url).pathname === "/keys") return Response.json({ keys: [] });
      sent.all.push(body);
      if (request.url.endsWith("/v1/traces")) sent.traces.push(body);
      return Response.json({});
    },
  );
  const text = "a text that nobody else reads";
  const inAddress = "secret-in-an-address";
  const inHeader = "secret-in-a-header";
  const dataDir = await makeDataDir();
  const server = await startProcess({
    DATA_DIR: dataDir,
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
    JWT_JWKS_URL: `http://127.0.0.1:${collector.addr.port}/keys?key=${inAddress}`,
    OTEL_DENO: "true",
    OTEL_DENO_TRACING: "false",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
    OTEL_METRIC_EXPORT_INTERVAL: "500",
  });
  let people: Awaited<ReturnType<typeof cast>>;
  try {
    people = await cast(server);
    const { agent, visitor, conversation } = people;
    const conversationId = conversation.id;
    const socket = await connect(server, { sessionId: visitor.sessionId });
    const other = await connect(server, { token: agent.token });
    await other.ack("join", { conversationId });
    await socket.ack("message", { conversationId, content: text, clientMessageId: "m1" });
    await other.event("message");
    await other.ask("join", { conversationId: crypto.randomUUID() });
    await call(server, "GET", `/api/conversations/${conversationId}?x=${inAddress}`, {
      token: agent.token,
      headers: { "x-secret": inHeader, cookie: `parley_refresh=${inHeader}` },
    });
    await call(server, "GET", "/api/users", { token: `${inHeader}.a.b` });
    // A token in the address, as other protocols have it.
    const late = new WebSocket(
      `${server.url.replace("http", "ws")}/api/chat/ws?token=${agent.token}&x=${inAddress}`,
    );
    await new Promise((resolve) => late.addEventListener("open", resolve, { once: true }));
    const over = new Promise((resolve) => late.addEventListener("close", resolve, { once: true }));
    late.close();
    await Promise.all([over, socket.close(), other.close()]);
    // An outside issuer's token, for which the keys are fetched.
    const part = (value: unknown) => btoa(JSON.stringify(value)).replaceAll("=", "");
    const claims = { sub: "grace", contexts: ["order-1"], exp: 9_999_999_999 };
    const foreign = `${part({ alg: "RS256", kid: "k1" })}.${part(claims)}.c2ln`;
    const guest = new WebSocket(
      `${server.url.replace("http", "ws")}/api/chat/ws?token=${foreign}&contextId=order-1`,
    );
    await new Promise((resolve) => guest.addEventListener("close", resolve, { once: true }));
  } finally {
    // What waits to be exported goes out before the process ends.
    await server.kill("SIGTERM");
    await collector.shutdown();
    await Deno.remove(dataDir, { recursive: true });
  }

  const spans = sent.traces.flatMap(spansOf);
  const find = (name: string, has: Record<string, unknown>) => {
    const found = spans.find((span) =>
      span.name === `parley ${name}` &&
      Object.entries(has).every(([key, value]) => attribute(span, key) === value)
    );
    const known = spans.map((span) => `${span.name} ${JSON.stringify(span.attributes)}`);
    assert.ok(found, `No span ${name} ${JSON.stringify(has)} among\n${known.join("\n")}`);
    return found;
  };
  // Only Parley's own: the runtime's have addresses.
  assert.deepEqual([...new Set(spans.map(({ name }) => name.split(" ")[0]))], ["parley"]);
  const command = find("command", {
    "parley.command": "message",
    "parley.protocol": "parley.v1",
  });
  assert.ok(BigInt(command.endTimeUnixNano) > BigInt(command.startTimeUnixNano));
  assert.equal(command.status.code, 0);
  const refused = find("command", { "parley.command": "join", "error.type": "not_found" });
  assert.deepEqual([refused.status.code, refused.status.message], [2, "not_found"]);
  const batch = find("batch", { "parley.what": "the change" });
  assert.ok(Number(attribute(batch, "parley.size")) >= 1);
  const broadcast = find("broadcast", { "parley.event": "message", "parley.room": "conversation" });
  assert.equal(Number(attribute(broadcast, "parley.receivers")), 1);
  const request = find("request", { "http.route": "/api/conversations/:id" });
  assert.equal(Number(attribute(request, "http.response.status_code")), 200);
  find("request", { "http.route": "/api/chat/ws" });
  find("fetch", { "parley.what": "issuer's keys" });

  const { agent, visitor, conversation } = people!;
  const everything = sent.all.join("\n");
  assert.ok(everything.length > 1000);
  const secrets = { inAddress, inHeader, text, token: agent.token, session: visitor.sessionId };
  for (const [what, secret] of Object.entries({ ...secrets, password: ADMIN.password })) {
    assert.ok(!everything.includes(secret), `The ${what} was exported`);
  }
  // Logs may name ids; spans name nobody.
  const traces = sent.traces.join("\n");
  const persons = [agent.user.id, agent.user.email, agent.user.name, visitor.contact.id];
  for (const person of [...persons, visitor.contact.name, conversation.id]) {
    assert.ok(!traces.includes(`"${person}"`) && !traces.includes(`${person}/`), person);
  }
});

Deno.test("a start whose HTTP spans would have addresses says so", () => {
  for (const OTEL_DENO of ["true", "1"]) {
    assert.match(tracingWarning({ OTEL_DENO })!, /set OTEL_DENO_TRACING=false/);
    assert.ok(tracingWarning({ OTEL_DENO, OTEL_DENO_TRACING: "true" }));
    for (const OTEL_DENO_TRACING of ["false", "0"]) {
      assert.equal(tracingWarning({ OTEL_DENO, OTEL_DENO_TRACING }), null);
    }
  }
  assert.equal(tracingWarning({}), null);
  assert.equal(tracingWarning({ OTEL_DENO: "false" }), null);
});
