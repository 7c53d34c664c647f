import assert from "node:assert/strict";
import { islandOf } from "./page_navigation.ts";

const script = (modules: string[], props: string) =>
  modules.map((name, i) => `import {default as _0_${i}} from "/assets/islands/${name}";`).join("") +
  `import {boot as _1_0} from "/assets/fresh.boot-BcWrWr8n.js";` +
  `const data={islands:[{Component:_0_0,props:${props}}],signals:[],events:[]};_1_0(data);`;

Deno.test("a page's island and its props are read from the script that starts it", () => {
  const value = 'a "quoted" \\ line\n</script> — ציטוט';
  const packed = JSON.stringify(value).replaceAll("<", "\\u003C");
  assert.deepEqual(islandOf(script(["RulesPage-a.js"], `{start:${packed}}`)), {
    module: "/assets/islands/RulesPage-a.js",
    start: value,
  });
  const long = JSON.stringify("x\\\n".repeat(300_000));
  assert.equal(islandOf(script(["A-b.js"], `{start:${long}}`))?.start, JSON.parse(long));
});

Deno.test("a page without an island, with several or with other props is none", () => {
  assert.equal(islandOf(""), null);
  assert.equal(islandOf(script(["A-b.js", "B-c.js"], `{start:"x"}`)), null);
  assert.equal(islandOf(script(["LoginForm-b.js"], `{next:"x"}`)), null);
  assert.equal(islandOf(script(["A-b.js"], `{start:"x",more:1}`)), null);
});
