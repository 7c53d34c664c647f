import assert from "node:assert/strict";
import * as changes from "../../protocol/conversation_changes.ts";
import * as canned from "../../protocol/canned_responses.ts";
import { MAX_DRAFT } from "../../protocol/drafts.ts";
import * as labels from "../../protocol/labels.ts";
import * as native from "../../protocol/native.ts";
import * as queue from "../../protocol/queue.ts";
import * as search from "../../protocol/search.ts";
import * as teams from "../../protocol/teams.ts";
import * as views from "../../protocol/views.ts";
import * as limits from "./limits.ts";

Deno.test("the browser's limits are those of the protocol", () => {
  const protocol: Record<string, unknown> = {
    ...native,
    ...labels,
    ...search,
    ...canned,
    ...queue,
    ...teams,
    ...changes,
    ...views,
  };
  const expected = Object.fromEntries(Object.keys(limits).map((name) => [name, protocol[name]]));
  assert.deepEqual({ ...limits }, expected);
  assert.equal(MAX_DRAFT, limits.MAX_CONTENT);
});
