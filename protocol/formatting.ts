/** Formatted text of messages: a small tree that any client can draw, and in which nothing runs. */
import { z } from "zod";

/**
 * The elements, named as in HTML. `pre` is a block of code, which has only text. New ones may follow:
 * a client draws the content of those that it does not know.
 */
export const FORMAT_TAGS = [
  "p",
  "strong",
  "em",
  "code",
  "pre",
  "blockquote",
  "ul",
  "ol",
  "li",
  "a",
] as const;

/** Elements within each other, at most. */
export const MAX_FORMAT_DEPTH = 12;

export interface FormattedElement {
  tag: (typeof FORMAT_TAGS)[number];
  /** Of `a`: an address with http, https or mailto. */
  href?: string;
  /** Of `ol`: its first number, where that is not 1. */
  start?: number;
  content: FormattedNode[];
}
export type FormattedNode = string | FormattedElement;

export const FormattedNode: z.ZodType<FormattedNode> = z.lazy(() =>
  z.union([
    z.string(),
    z.object({
      tag: z.enum(FORMAT_TAGS),
      href: z.string().optional(),
      start: z.number().int().optional(),
      content: z.array(FormattedNode),
    }),
  ])
).meta({ id: "FormattedNode" }) as z.ZodType<FormattedNode>;
