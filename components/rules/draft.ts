/** The draft of a rule: its errors, and the rule as a sentence. */
import type { ContextRule, RuleAction, RuleCondition } from "../../protocol/model.ts";
import type { FieldError } from "../../protocol/errors.ts";

export interface RuleDraft {
  name: string;
  /** One pattern per line. */
  pages: string;
  /** One per line, or separated by commas. */
  words: string;
  says: string;
}

export interface RuleBody {
  name: string;
  conditions: RuleCondition[];
  actions: RuleAction[];
}

export type RuleField = keyof RuleDraft | "";
export type RuleErrors = Partial<Record<RuleField, string>>;

export const MAX_NAME = 100;
export const MAX_SAYS = 2000;
const MAX_ENTRIES = 50;
const MAX_PAGE = 500;
const MAX_WORD = 100;

export const EMPTY: RuleDraft = { name: "", pages: "", words: "", says: "" };

/** Two templates for the first rule. */
export const TEMPLATES: { title: string; about: string; draft: RuleDraft }[] = [
  {
    title: "Greet on a page",
    about: "The bot greets visitors on your pricing page.",
    draft: {
      name: "Greeting on the pricing page",
      pages: "/pricing*",
      words: "",
      says: "Hello! Do you have a question about our prices? Write here, we are happy to help.",
    },
  },
  {
    title: "Answer a question",
    about: "The bot replies instantly when somebody asks about your opening hours.",
    draft: {
      name: "Opening hours",
      pages: "",
      words: "opening hours, open, hours",
      says: "We are here from Monday to Friday, 9 to 17. Leave your question, we answer it then.",
    },
  },
];

function entries(text: string, separator: RegExp): string[] {
  return [...new Set(text.split(separator).map((entry) => entry.trim()).filter(Boolean))];
}
export const pagesOf = (draft: RuleDraft) => entries(draft.pages, /\n/);
export const wordsOf = (draft: RuleDraft) => entries(draft.words, /[\n,;]/);

export function conditionsOf(draft: RuleDraft): RuleCondition[] {
  const globs = pagesOf(draft);
  const keywords = wordsOf(draft);
  return [
    ...(globs.length > 0 ? [{ kind: "page_url" as const, globs }] : []),
    ...(keywords.length > 0 ? [{ kind: "message" as const, keywords }] : []),
  ];
}

export function bodyOf(draft: RuleDraft): RuleBody {
  return {
    name: draft.name.trim(),
    conditions: conditionsOf(draft),
    actions: [{ kind: "bot_message", content: draft.says.trim() }],
  };
}

/** Whether the form can show the whole rule: at most one condition of each kind, one message. */
export function isBasic({ conditions, actions }: ContextRule): boolean {
  const kinds = conditions.map(({ kind }) => kind as string);
  return new Set(kinds).size === kinds.length && actions.length === 1 &&
    actions[0]!.kind === "bot_message" &&
    kinds.every((kind) => kind === "page_url" || kind === "message");
}

export function draftOf(rule: ContextRule): RuleDraft {
  const draft = { ...EMPTY, name: rule.name };
  for (const condition of rule.conditions) {
    if (condition.kind === "page_url") draft.pages = (condition.globs ?? []).join("\n");
    if (condition.kind === "message") draft.words = (condition.keywords ?? []).join(", ");
  }
  const [action] = rule.actions;
  if (action?.kind === "bot_message") draft.says = action.content;
  return draft;
}

export function sameDraft(one: RuleDraft, other: RuleDraft): boolean {
  return JSON.stringify(bodyOf(one)) === JSON.stringify(bodyOf(other));
}

export function draftErrors(draft: RuleDraft): RuleErrors {
  const errors: RuleErrors = {};
  if (draft.name.trim() === "") errors.name = "Enter a name.";
  const pages = pagesOf(draft);
  const words = wordsOf(draft);
  const odd = pages.find((page) => !isPage(page));
  if (pages.length > MAX_ENTRIES) errors.pages = `Enter at most ${MAX_ENTRIES} pages.`;
  else if (odd !== undefined) {
    errors.pages = `“${shortened(odd)}” is not a page. Enter a whole address, or a path such as ` +
      "/pricing; * stands for anything.";
  }
  const long = words.find((word) => word.length > MAX_WORD);
  if (words.length > MAX_ENTRIES) errors.words = `Enter at most ${MAX_ENTRIES} words.`;
  else if (long !== undefined) {
    errors.words = `“${shortened(long)}” is too long. Put commas between words.`;
  }
  if (pages.length + words.length === 0) errors.pages = "Enter a page, or words below.";
  if (draft.says.trim() === "") errors.says = "Enter what the bot says.";
  return errors;
}

/** Whether it can be an address: without a scheme it needs a host, and hosts contain dots. */
function isPage(text: string): boolean {
  if (/\s/.test(text) || text.length > MAX_PAGE) return false;
  return /^(\/|\*|https?:\/\/.)/i.test(text) || /^[^/]*(\.|localhost|:\d)/i.test(text);
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}

/** Converts the server's errors to those of the form; "" has the errors of no field. */
export function errorsByField(draft: RuleDraft, fields: readonly FieldError[]): RuleErrors {
  const errors: RuleErrors = {};
  const conditions = conditionsOf(draft);
  for (const { path, message } of fields) {
    const [group, index] = path.split(".");
    const kind = group === "conditions" ? conditions[Number(index)]?.kind : undefined;
    const field: RuleField = path === "name"
      ? "name"
      : group === "actions"
      ? "says"
      : kind === "page_url"
      ? "pages"
      : kind === "message"
      ? "words"
      : "";
    errors[field] ??= message;
  }
  return errors;
}

/** When the rule acts, as a sentence. */
export function whenWords(conditions: readonly RuleCondition[]): string {
  const pages = conditions.flatMap((one) => one.kind === "page_url" ? one.globs ?? [] : []);
  const words = conditions.flatMap((one) => one.kind === "message" ? one.keywords ?? [] : []);
  const where = pages.length > 0 ? listed(pages, "or") : "";
  if (words.length > 0) {
    const what = listed(words.map((word) => `“${word}”`), "or");
    return `A visitor writes ${what}${where === "" ? "" : ` on ${where}`}`;
  }
  if (where !== "") return `A visitor comes to ${where}`;
  return conditions.length === 0
    ? "Never: it has no conditions"
    : "Never: it has conditions that this version does not know";
}

const SHOWN = 3;

function listed(all: string[], and: string): string {
  if (all.length > SHOWN + 1) {
    return `${all.slice(0, SHOWN).join(", ")} ${and} ${all.length - SHOWN} more`;
  }
  return all.length === 1 ? all[0]! : `${all.slice(0, -1).join(", ")} ${and} ${all.at(-1)}`;
}

/** The list with one rule moved to another index. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list];
  const [one] = next.splice(from, 1);
  next.splice(to, 0, one!);
  return next;
}
