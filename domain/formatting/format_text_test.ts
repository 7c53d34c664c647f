import assert from "node:assert/strict";
import fc from "fast-check";
import { type FormattedNode, MAX_FORMAT_DEPTH } from "../../protocol/formatting.ts";
import { MAX_CONTENT } from "../../protocol/native.ts";
import { formatText, textOf } from "./format_text.ts";

/** As HTML, which is shorter to read. */
function html(nodes: readonly FormattedNode[] | null): string {
  if (nodes === null) return "plain";
  return nodes.map((node) => {
    if (typeof node === "string") return node;
    const { tag, href, start, content } = node;
    const attribute = href === undefined ? start === undefined ? "" : ` ${start}` : ` ${href}`;
    return `<${tag}${attribute}>${html(content)}</${tag}>`;
  }).join("");
}

const is = (text: string, expected: string) => assert.equal(html(formatText(text)), expected, text);

Deno.test("the Markdown of chats becomes elements", () => {
  is(
    "**bold** and *it* and `a*b*`",
    "<p><strong>bold</strong> and <em>it</em> and <code>a*b*</code></p>",
  );
  is("- a\n- b\n  1. c", "<ul><li>a</li><li>b<ol><li>c</li></ol></li></ul>");
  is("3. a\n4. b", "<ol 3><li>a</li><li>b</li></ol>");
  is("> a\n> b\n\nc", "<blockquote><p>a\nb</p></blockquote><p>c</p>");
  is("[here](https://example.com/a_b_)", "<p><a https://example.com/a_b_>here</a></p>");
  is("[me](mailto:ada@example.com?cc=eve@example.com)", "<p><a mailto:ada@example.com>me</a></p>");
  is("**粗体**文字", "<p><strong>粗体</strong>文字</p>");
});

Deno.test("text stays as it was typed where nothing is marked", () => {
  for (
    const text of [
      "Hello",
      "2*3*4 = 24 and snake_case_name",
      "a * b * c",
      "C:\\_temp\\*.log",
      "# not a heading\n===",
      "<b onclick=alert(1)>x</b> &amp;",
      "-5 degrees, 1.5 litres",
      "https://example.com/(_a_)/*b*",
      "one\n\n\n  two",
      "    four spaces",
      "~~~",
    ]
  ) is(text, "plain");
});

Deno.test("blocks of code are found where people write them", () => {
  is("```js\nlet a = 1;\n```", "<pre>let a = 1;</pre>");
  is("Look: ```\na\n  b\n``` thanks", "<p>Look:</p><pre>a\n  b</pre><p>thanks</p>");
  is("```SELECT 1\nFROM x```", "<pre>SELECT 1\nFROM x</pre>");
  is("```one line```", "<p><code>one line</code></p>");
  is("> ```\n> a\n> ```", "<blockquote><pre>a</pre></blockquote>");
  is("What is ``` for?\nCode.", "plain");
});

Deno.test("nothing in a message runs, and no link pretends to lead elsewhere", () => {
  for (
    const href of [
      "javascript:alert(1)",
      "JaVaScRiPt:alert(1)",
      "data:text/html,x",
      "vbscript:x",
      "/relative",
      "//host",
      "blob:https://a",
      "https:",
      "mailto:",
    ]
  ) assert.doesNotMatch(html(formatText(`**x** [a](${href})`)), /<a/, href);
  is("![x](https://example.com/a.png)", "<p>!<a https://example.com/a.png>x</a></p>");
  is("[bank.com](https://evil.com/)", "plain");
  is(
    "*[www.bank.com/in](https://evil.com)*",
    "<p><em>www.bank.com/in (https://evil.com/)</em></p>",
  );
  is("[www.a.com](https://a.com/b)", "<p><a https://a.com/b>www.a.com</a></p>");
});

Deno.test("no letter that was typed is lost, whatever the markup", () => {
  // Letters that are in no name of a language, which is not shown.
  const pieces = [..."é ö * _ ` > - 1. [ ] ** ``` + # ~ <".split(" "), "\n", " "];
  const some = fc.array(fc.constantFrom(...pieces), { maxLength: 60 });
  fc.assert(
    fc.property(some, (typed) => {
      const text = typed.join("");
      const letters = (all: string) => all.replace(/[^éö]/g, "");
      assert.equal(letters(textOf(formatText(text) ?? [text])), letters(text));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("what is built to be expensive is bounded in work, depth and size", () => {
  const depth = (nodes: readonly FormattedNode[]): number =>
    Math.max(0, ...nodes.map((node) => typeof node === "string" ? 0 : 1 + depth(node.content)));
  for (
    const piece of [
      "*",
      "_",
      "**a ",
      "*a **b ",
      "_a __b ",
      "*a_ ",
      "[",
      "](",
      "[a](",
      "[a](<b",
      "[![[](",
      "*[a](*",
      "`",
      "``a`",
      "x `",
      "```\n",
      "```a\n",
      "a```b\n",
      "> ",
      ">",
      "- ",
      "1. ",
      "> - ",
      "- a\n  ",
      "   - a\n",
      "a\n- ",
      "http://",
      "http://a*",
      "**x** ",
      "\n\n",
      "\\*",
    ]
  ) {
    const text = piece.repeat(MAX_CONTENT / piece.length);
    const nodes = formatText(text) ?? [];
    assert.ok(depth(nodes) <= MAX_FORMAT_DEPTH, piece);
    assert.ok(JSON.stringify(nodes).length < 4 * MAX_CONTENT, piece);
  }
});
