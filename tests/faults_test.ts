/**
 * Everything that a bad day brings, one after the other, under people of every protocol on one node
 * and on three. The same causes at their real length: `deno task faults`.
 */
import assert from "node:assert/strict";
import { SCENARIOS } from "./faults/scenarios.ts";
import { openStage, play } from "./faults/stage.ts";
import { testWith } from "./support/services.ts";

const ONLY = Deno.env.get("PARLEY_FAULTS_ONLY");

testWith(["initdb", "redis-server"], "nothing that breaks loses or delays anything", async (t) => {
  const stage = await openStage("short");
  try {
    for (const scenario of SCENARIOS) {
      if (ONLY !== undefined && !new RegExp(ONLY).test(scenario.name)) continue;
      const unable = scenario.unable?.() ?? null;
      if (scenario.longOnly || unable !== null) {
        await t.step({
          name: `${scenario.name} (skipped: ${unable ?? "deno task faults"})`,
          ignore: true,
          fn: () => {},
        });
        continue;
      }
      await t.step(scenario.name, async () => {
        const rows = await play(stage, scenario);
        if (ONLY !== undefined) console.table(rows.map(({ wrong: _, ...row }) => row));
        assert.deepEqual(rows.flatMap(({ wrong }) => wrong), []);
      });
    }
  } finally {
    await stage.close();
  }
});
