import assert from "node:assert/strict";

/** Values by name and labels, as they stand in the answer. */
export type Samples = Map<string, number>;

/** Reads the exposition format strictly: a line that is none fails the test. */
export function parseMetrics(text: string): Samples {
  const samples: Samples = new Map();
  const typed = new Set<string>();
  const closed = new Set<string>();
  let open = "";
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const comment = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line);
    if (comment !== null) {
      if (comment[1] === "TYPE") typed.add(comment[2]!);
      // All of one family stand together.
      if (comment[2] !== open) closed.add(open);
      open = comment[2]!;
      assert.ok(!closed.has(open), `${open} begins again`);
      continue;
    }
    const sample = /^([a-z_]+)(\{[^}]*\})? (-?[0-9.e+-]+|\+Inf|NaN)$/.exec(line);
    assert.ok(sample, `Cannot read the line ${JSON.stringify(line)}`);
    const [, name, labels = "", value] = sample;
    const family = name!.replace(/_(bucket|sum|count)$/, "");
    assert.ok(typed.has(name!) || typed.has(family), `${name} has no type`);
    const key = name! + labels;
    assert.ok(!samples.has(key), `${key} stands there twice`);
    samples.set(key, Number(value));
  }
  return samples;
}
