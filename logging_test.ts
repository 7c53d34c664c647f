import assert from "node:assert/strict";
import { redact } from "./logging.ts";

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
const SECRET = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF";

Deno.test("redact() takes credentials out of whatever an error says", () => {
  const lines = [
    `failed at /api/v1/ws?token=${JWT}&x=1`,
    `failed at /api/v1/ws?sessionId=${SECRET}`,
    `Authorization: Bearer ${SECRET}`,
    `cookie: parley_refresh=${SECRET}`,
    `connect to postgres://parley:hunter2hunter2@db:5432/parley`,
    JSON.stringify({ message: JSON.stringify({ password: "hunter2hunter2" }) }),
    `password=hunter2hunter2`,
    `Key (session_id)=(${SECRET}) already exists`,
    `apiKey: '${SECRET}'`,
  ];
  for (const line of lines) {
    const safe = redact(line);
    for (const secret of [JWT, SECRET, "hunter2"]) {
      assert.ok(!safe.includes(secret), `${line} became ${safe}`);
    }
  }
});

Deno.test("redact() leaves what an operator needs", () => {
  const line = JSON.stringify({
    connection: "a1b2c3d4-17",
    user: "019a5f6e-7c1d-7e6f-8a9b-0c1d2e3f4a5b",
    reason: 'relation "tokens" does not exist at 10.0.0.7:5432',
    code: 4001,
  });
  assert.equal(redact(line), line);
});
