import assert from "node:assert/strict";
import { startServer } from "./support/server.ts";

interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string }[];
}

/** Names of metrics in an expression: what is no function, no label and no keyword. */
function metricsIn(expression: string): string[] {
  const bare = expression.replace(/\{[^}]*\}|\[[^\]]*\]|\b(?:by|without) \([^)]*\)/g, "");
  return [...bare.matchAll(/\b(?:parley|process)_[a-z_]+\b/g)].map(([name]) => name);
}

Deno.test("the dashboard and the alerts ask for metrics that are there", async () => {
  const server = await startServer("pglite");
  try {
    const exposed = await (await fetch(`${server.url}/metrics`)).text();
    const known = new Set([...exposed.matchAll(/^# TYPE ([a-z_]+) /gm)].map(([, name]) => name!));
    const { panels } = JSON.parse(await Deno.readTextFile("deploy/grafana/parley.json")) as {
      panels: Panel[];
    };
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const rules = await Deno.readTextFile("deploy/alerts.yml");
    expressions.push(...[...rules.matchAll(/^ +expr: (.+)$/gm)].map(([, expr]) => expr!));
    assert.ok(expressions.length > 25);
    const asked = new Set(
      expressions.flatMap(metricsIn).map((name) =>
        known.has(name) ? name : name.replace(/_(bucket|count|sum)$/, "")
      ),
    );
    assert.deepEqual([...asked].filter((name) => !known.has(name)), []);
    // And nothing that is measured is left out.
    assert.deepEqual(
      [...known].filter((name) => !asked.has(name)).sort(),
      ["parley_info", "process_start_time_seconds"],
    );
  } finally {
    await server.close();
  }
});

Deno.test("the dashboard's panels have ids of their own and do not overlap", async () => {
  const { panels } = JSON.parse(await Deno.readTextFile("deploy/grafana/parley.json")) as {
    panels: Panel[];
  };
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const [i, { gridPos: a, title }] of panels.entries()) {
    assert.ok(a.x + a.w <= 24, title);
    for (const { gridPos: b } of panels.slice(i + 1)) {
      const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
      assert.ok(apart, title);
    }
  }
});
