/** How a setting is defined, and the kinds of values that settings have. */
import { z } from "zod";
import { isRange } from "../domain/network.ts";
import { readPublicKey } from "../domain/visitors/public_key.ts";

/** One setting: the name of its environment variable, its check, and a line of docs/settings.md. */
export interface Setting<T = unknown, Name extends string = string> {
  name: Name;
  schema: z.ZodType<T, string>;
  /** As text, the way it would stand in the environment; undefined: unset. */
  default?: string;
  about: string;
  /** Its value is never shown. */
  secret?: boolean;
  /** Another name, by which documents of clients that Parley serves know it. */
  alias?: string;
}

/** Settings of one subject, by the name of the field that each becomes. */
export type Group = Readonly<Record<string, Setting>>;

export type NamesOf<G> = { [K in keyof G]: G[K] extends Setting<unknown, infer N> ? N : never }[
  keyof G
];

export type ValuesOf<G> = {
  readonly [K in keyof G]: G[K] extends { schema: z.ZodType<infer T, string> }
    ? G[K] extends { default: string } ? T : T | undefined
    : never;
};

interface More {
  secret?: boolean;
  alias?: string;
}

export function setting<T, Name extends string>(
  name: Name,
  schema: z.ZodType<T, string>,
  fallback: string,
  about: string,
  more?: More,
): Setting<T, Name> & { default: string };
export function setting<T, Name extends string>(
  name: Name,
  schema: z.ZodType<T, string>,
  fallback: undefined,
  about: string,
  more?: More,
): Setting<T, Name>;
export function setting(
  name: string,
  schema: z.ZodType<unknown, string>,
  fallback: string | undefined,
  about: string,
  more: More = {},
): Setting {
  return { name, schema, ...(fallback === undefined ? {} : { default: fallback }), about, ...more };
}

export const int = (min: number, max: number) =>
  z.string().regex(/^\d+$/, `must be a whole number from ${min} to ${max}`).transform(Number)
    .refine((n) => n >= min && n <= max, `must be a whole number from ${min} to ${max}`);

export const text = (min: number, what: string) => z.string().min(min, what);

export const flag = z.enum(["true", "false"], 'must be "true" or "false"')
  .transform((value) => value === "true");

export const names = z.string().transform(listed);

export const url = (protocols: string[]) =>
  z.string().refine(
    (value) => protocols.includes(URL.parse(value)?.protocol ?? ""),
    `must be a URL that starts with ${protocols.map((p) => `${p}//`).join(" or ")}`,
  );

export const origin = z.string().refine((value) => {
  const parsed = URL.parse(value);
  return parsed?.origin === value && ["https:", "http:"].includes(parsed.protocol);
}, "must be an origin such as https://chat.example.com, without a path");

export const rootPath = z.literal("/", {
  error: "must be /, because Parley needs a host name of its own, such as chat.example.com",
}) as z.ZodType<string, string>;

export const origins = z.string().transform(listed).refine(
  (list) => list.every((entry) => URL.parse(entry)?.origin === entry),
  "must be origins such as https://example.com, separated by commas",
);

export const addresses = z.string().transform(listed).refine(
  (list) => list.every(isRange),
  "must be IP addresses or CIDR ranges such as 10.0.0.0/8, separated by commas",
);

export const publicKey = z.string().transform((value) => value.replaceAll("\\n", "\n")).refine(
  (value) => {
    try {
      return readPublicKey(value) !== null;
    } catch {
      return false;
    }
  },
  "must be a public key in PEM (RSA, P-256, P-384, P-521 or Ed25519)",
);

function listed(value: string): string[] {
  return value.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
}
