import assert from "node:assert/strict";
import { startServer } from "./support/server.ts";

/** The rules of alerts.yml, which has one shape: a list of alerts, each with the same keys. */
interface Alert {
  name: string;
  expr: string;
  severity: string;
  summary: string;
  runbook: string;
}

/** Reads alerts.yml strictly: what is not of the shape fails. */
async function readAlerts(): Promise<Alert[]> {
  const text = await Deno.readTextFile("deploy/alerts.yml");
  const [head, ...rules] = text.split(/^ {6}- alert: /m);
  assert.match(head!, /^(#.*\n)*groups:\n {2}- name: parley\n {4}rules:\n$/);
  return rules.map((rule) => {
    const shape = new RegExp(
      "^(?<name>Parley\\w+)\\n {8}expr: (?<expr>.+)\\n( {8}for: \\d+[mh]\\n)?" +
        " {8}labels:\\n {10}severity: (?<severity>.+)\\n {8}annotations:\\n" +
        ' {10}summary: "(?<summary>.+)"\\n {10}runbook: "(?<runbook>.+)"\\n$',
    );
    const found = shape.exec(rule);
    assert.ok(found, `The alert ${JSON.stringify(rule)} has another shape`);
    return { ...found.groups } as unknown as Alert;
  });
}

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
  // Where the memory of the machine may not be read, it has to be said.
  const server = await startServer("pglite", { MEMORY_LIMIT_BYTES: `${2 ** 40}` });
  try {
    const exposed = await (await fetch(`${server.url}/metrics`)).text();
    const known = new Set([...exposed.matchAll(/^# TYPE ([a-z_]+) /gm)].map(([, name]) => name!));
    const { panels } = JSON.parse(await Deno.readTextFile("deploy/grafana/parley.json")) as {
      panels: Panel[];
    };
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expressions.push(...(await readAlerts()).map(({ expr }) => expr));
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

Deno.test("each alert says how bad it is, and has a runbook of its own", async () => {
  const alerts = await readAlerts();
  const page = await Deno.readTextFile("docs/operations.md");
  const runbooks = [...page.matchAll(/^### (Parley\w+)$/gm)].map(([, name]) => name!);
  assert.deepEqual(runbooks, alerts.map(({ name }) => name));
  for (const { name, severity, runbook } of alerts) {
    assert.ok(["page", "ticket"].includes(severity), `${name}: ${severity}`);
    assert.ok(runbook.startsWith(`docs/operations.md#${name.toLowerCase()}: `), runbook);
  }
  assert.match(await Deno.readTextFile("README.md"), /\(docs\/operations\.md\)/);
});

Deno.test("the rules and the scrape are ones that Prometheus takes", async () => {
  const alerts = await readAlerts();
  assert.ok(alerts.length > 15);
  const config = await Deno.readTextFile("deploy/prometheus.yml");
  assert.match(config, /^rule_files:\n {2}- alerts\.yml\n/m);
  // The alerts name the job.
  const jobs = new Set(alerts.flatMap(({ expr }) => /job="(\w+)"/.exec(expr)?.[1] ?? []));
  assert.deepEqual([...jobs], [/job_name: (\w+)/.exec(config)?.[1]]);
  for (const { expr } of alerts) {
    let depth = 0;
    for (const sign of expr) depth += "([{".includes(sign) ? 1 : ")]}".includes(sign) ? -1 : 0;
    assert.equal(depth, 0, expr);
  }
  // Where it is installed, Prometheus itself says so.
  const check = (...args: string[]) =>
    new Deno.Command("promtool", { args: ["check", ...args], cwd: "deploy" }).output();
  try {
    for (const args of [["rules", "alerts.yml"], ["config", "prometheus.yml"]]) {
      const { code, stderr } = await check(...args);
      assert.equal(code, 0, new TextDecoder().decode(stderr));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
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
