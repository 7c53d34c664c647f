/**
 * The Markdown that chats have, as elements that clients draw (protocol/formatting.ts): bold, italic,
 * code, lists, quotes and links. Everything else is text: no HTML, no images, no headings. Clients
 * find bare addresses themselves, as in text without markup (client/link_finder.ts).
 */
import MarkdownIt, { type Token } from "markdown-it";
import {
  type FormattedElement,
  type FormattedNode,
  MAX_FORMAT_DEPTH,
} from "../../protocol/formatting.ts";
import { separateFences } from "./fences.ts";
import { safeHref, showsAnotherAddress } from "./link_target.ts";

/** Levels of blocks; deeper ones are not parsed, and the whole text is shown as it was typed. */
const MAX_NESTING = 20;
/** A text with more elements is shown as it was typed, too: nobody writes it, and it would be large. */
const MAX_ELEMENTS = 1000;
/** Without any of these there is nothing to parse. */
const MAY_HAVE_MARKUP = /[*_`]|\]\(|^[ >]*(?:>|[-+] |\d{1,9}[.)] )/m;
/** What may follow the opening of a block of code: the name of a language. */
const LANGUAGE = /^[a-z][\w+#.-]{0,19}$/i;

/** The address that an inline parser has read the scheme of. Emphasis does not begin within it. */
const ADDRESS = /:\/\/[^\s<>"`[\]]+/y;

const parser = new MarkdownIt("zero", { maxNesting: MAX_NESTING });
parser.block.ruler.enable(["fence", "blockquote", "list"]);
parser.inline.ruler.enable(["backticks", "emphasis", "link"]);
parser.inline.ruler2.enable(["emphasis"]);
parser.validateLink = (href) => safeHref(href) !== null;
parser.normalizeLink = (href) => safeHref(href) ?? href;
parser.inline.ruler.after("text", "address", (state, silent) => {
  if (
    state.src[state.pos] !== ":" ||
    !/https?$/i.test(state.src.slice(Math.max(0, state.pos - 5), state.pos))
  ) {
    return false;
  }
  ADDRESS.lastIndex = state.pos;
  const address = ADDRESS.exec(state.src)?.[0].replace(/[*_~)]+[.,!?]*$/, "");
  if (address === undefined || address.length < 4) return false;
  if (!silent) state.pending += address;
  state.pos += address.length;
  return true;
});

/** Emphasis within a word only beside letters without spaces, such as Chinese: 2*3*4 is text. */
class ChatState extends parser.inline.State {
  override scanDelims(start: number, canSplitWord: boolean) {
    const scanned = super.scanDelims(start, canSplitWord);
    const end = start + scanned.length;
    const within = /[\p{Script=Latin}\d]/u;
    return within.test(this.src[start - 1] ?? "") && within.test(this.src[end] ?? "")
      ? { ...scanned, can_open: false, can_close: false }
      : scanned;
  }
}
parser.inline.State = ChatState;

/** null where there is no markup: the text is shown as it is. */
export function formatText(text: string): FormattedNode[] | null {
  if (!MAY_HAVE_MARKUP.test(text)) return null;
  const tokens = parser.parse(separateFences(text), {});
  // What is nested deeper was not parsed.
  if (tokens.some(({ level }) => level >= MAX_NESTING - 2)) return null;
  const nodes = toTree(tokens);
  if (nodes === null) return null;
  const isPlain = nodes.every((node) =>
    typeof node === "string" || node.tag === "p" && node.content.every(isText)
  );
  return isPlain ? null : nodes;
}

/** The text without its markup, for previews. */
export function textOf(nodes: readonly FormattedNode[]): string {
  return nodes.map((node) =>
    isText(node) ? node : `${textOf(node.content)}${BLOCKS.has(node.tag) ? "\n" : ""}`
  ).join("");
}

const BLOCKS: ReadonlySet<string> = new Set(["p", "pre", "blockquote", "li"]);

const isText = (node: FormattedNode): node is string => typeof node === "string";

type Tag = FormattedElement["tag"];

/**
 * The list of tokens as a tree. Elements that are nested too deeply are left out, their text not.
 *
 * @returns null where there are too many elements
 */
function toTree(tokens: readonly Token[]): FormattedNode[] | null {
  const root: FormattedElement = { tag: "p", content: [] };
  const open: { element: FormattedElement; isShown: boolean }[] = [];
  let depth = 0;
  let count = 0;
  let here = root;

  const write = (text: string) => {
    if (text === "") return;
    const last = here.content.length - 1;
    if (isText(here.content[last] ?? root)) here.content[last] += text;
    else here.content.push(text);
  };
  const add = (element: FormattedElement) => {
    here.content.push(element);
    count++;
    return element;
  };
  function enter(token: Token) {
    const isShown = !token.hidden && depth < MAX_FORMAT_DEPTH;
    open.push({ element: here, isShown });
    if (!isShown) {
      // Paragraphs of a list have no elements of their own; those after the first are set apart.
      if (token.type === "paragraph_open" && here.content.length > 0) write("\n");
      return;
    }
    depth++;
    here = add(elementOf(token));
  }
  function leave() {
    const last = open.pop()!;
    const closed = here;
    here = last.element;
    if (!last.isShown) return;
    depth--;
    const isFalse = closed.tag === "a" && showsAnotherAddress(textOf([closed]), closed.href!);
    if (!isFalse) return;
    here.content.pop();
    write(`${textOf([closed])} (${closed.href})`);
  }
  const visit = (all: readonly Token[]) => {
    for (const token of all) {
      if (token.nesting === 1) enter(token);
      else if (token.nesting === -1) leave();
      else if (token.type === "inline") visit(token.children ?? []);
      else if (token.type === "code_inline") add({ tag: "code", content: [token.content] });
      else if (token.type === "fence") add({ tag: "pre", content: [codeOf(token)] });
      else write(token.content);
    }
  };
  visit(tokens);
  return count > MAX_ELEMENTS ? null : root.content;
}

function elementOf(token: Token): FormattedElement {
  const element: FormattedElement = { tag: token.tag as Tag, content: [] };
  const href = token.attrGet("href");
  if (href !== null) element.href = String(href);
  const start = token.attrGet("start");
  if (start !== null) element.start = Number(start);
  return element;
}

function codeOf({ info, content }: Token): string {
  const language = info.trim();
  const isNoCode = language === "" || LANGUAGE.test(language) && content !== "";
  const code = isNoCode ? content : `${language}\n${content}`;
  return code.replace(/\n$/, "");
}
