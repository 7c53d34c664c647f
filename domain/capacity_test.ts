import assert from "node:assert/strict";
import type { ParleyError } from "../protocol/errors.ts";
import { createCapacity } from "./capacity.ts";

Deno.test("createCapacity() bounds one network and all, and takes back what is left", () => {
  const capacity = createCapacity({
    what: "open a thing",
    total: { limit: "MAX_THINGS", max: 3 },
    perNetwork: { limit: "MAX_THINGS_PER_NETWORK", max: 2 },
    code: "rate_limited",
    retryAfterMs: 1000,
  });
  const refused = (address: string, limit: string, isExempt?: boolean) =>
    assert.throws(() => capacity.take(address, isExempt), (error: ParleyError) => {
      assert.equal(error.retryAfter, 1000);
      return error.limit === limit;
    });
  const first = capacity.take("2001:db8::1");
  capacity.take("2001:db8::2");
  refused("2001:db8::3", "MAX_THINGS_PER_NETWORK");
  capacity.take("2001:db8::3", true);
  refused("203.0.113.9", "MAX_THINGS", true);
  first.release();
  first.release();
  assert.equal(capacity.size, 2);
  refused("2001:db8::1", "MAX_THINGS_PER_NETWORK");
  capacity.take("203.0.113.9").release();
  assert.equal(capacity.size, 2);
});
