import assert from "node:assert/strict";
import { withFakeTime } from "../../tests/support/fake_time.ts";
import { createConnectionModel } from "./connection_model.ts";

Deno.test("a first connection that is slow is no reconnection", () =>
  withFakeTime(async (time) => {
    const model = createConnectionModel();
    model.set("connecting");
    assert.equal(model.trouble.value, "none");
    await time.pass(2_000);
    assert.equal(model.trouble.value, "connecting");
    model.set("reconnecting");
    assert.equal(model.trouble.value, "connecting");
    model.set("connected");
    assert.equal(model.trouble.value, "none");
    model.set("reconnecting");
    await time.pass(2_000);
    assert.equal(model.trouble.value, "reconnecting");
    model.set("offline");
    assert.equal(model.trouble.value, "offline");
    model.set("connected");
    assert.equal(model.trouble.value, "none");
  }));
