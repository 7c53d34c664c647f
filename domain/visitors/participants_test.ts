import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { createParticipantTokens } from "./participants.ts";

Deno.test("an issuer whose keys cannot be read is told of once, and so is its return", async () => {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...await exportJWK(publicKey), kid: "k1", alg: "RS256", use: "sig" };
  let broken = true;
  const issuer = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => broken ? new Response("Oh", { status: 500 }) : Response.json({ keys: [jwk] }),
  );
  const said: string[] = [];
  const tokens = createParticipantTokens({
    secret: "a secret of at least thirty-two characters",
    jwksUrl: `http://127.0.0.1:${issuer.addr.port}/keys?key=secret`,
    onKeysUnreadable: (cause) => said.push(`unreadable: ${(cause as Error).message}`),
    onKeysReadable: () => said.push("readable"),
  });
  try {
    const token = await new SignJWT({ sub: "1", contexts: ["A"] })
      .setProtectedHeader({ alg: "RS256", kid: "k1" }).setExpirationTime("1h").sign(privateKey);
    for (let i = 0; i < 3; i++) {
      await assert.rejects(tokens.verify(token), { code: "unavailable" });
    }
    assert.equal(said.length, 1);
    assert.match(said[0]!, /^unreadable: /);
    assert.ok(!said[0]!.includes("secret"));
    broken = false;
    for (let i = 0; i < 2; i++) await tokens.verify(token);
    assert.deepEqual(said.slice(1), ["readable"]);
  } finally {
    await issuer.shutdown();
  }
});
