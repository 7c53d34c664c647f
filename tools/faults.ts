/**
 * `deno task faults`: breaks its own Postgres cluster and Redis server in every way of
 * tests/faults/scenarios.ts, each for a realistic time, and prints what the users of each protocol
 * noticed. Takes about ten minutes. Arguments select scenarios by a part of their names.
 */
import { SCENARIOS } from "../tests/faults/scenarios.ts";
import { openStage, play, type Row } from "../tests/faults/stage.ts";
import { tableOf } from "../tests/faults/report.ts";
import { buildStale } from "./build.ts";

Deno.chdir(new URL("..", import.meta.url));
await buildStale();

const wanted = SCENARIOS.filter(({ name }) =>
  Deno.args.length === 0 || Deno.args.some((part) => name.includes(part))
);
const stage = await openStage("long");
const rows: Row[] = [];
let wrong = 0;
try {
  for (const scenario of wanted) {
    const reason = scenario.unable?.() ?? null;
    if (reason !== null) {
      console.error(`${scenario.name}: left out, because ${reason}`);
      continue;
    }
    console.error(scenario.name);
    const played = await play(stage, scenario);
    rows.push(...played);
    for (const sentence of played.flatMap((row) => row.wrong)) {
      wrong++;
      console.error(`  WRONG: ${sentence}`);
    }
  }
} finally {
  await stage.close();
}
console.log(tableOf(rows));
Deno.exit(wrong === 0 ? 0 : 1);
