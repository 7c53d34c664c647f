/** Errors of fields from zod's issues, with sentences that say what the field has to be. */

/** One wrong field of a body or a frame. `path` is dotted, "" for the whole. */
export interface FieldError {
  path: string;
  message: string;
}

/** The parts of a zod issue that a sentence needs. */
export interface ZodIssue {
  path: PropertyKey[];
  message: string;
  code?: string | undefined;
  origin?: string;
  minimum?: number | bigint;
  maximum?: number | bigint;
  inclusive?: boolean;
  expected?: string;
  values?: readonly unknown[];
  format?: string;
  pattern?: string;
  keys?: string[];
  divisor?: number | bigint;
  /** The issues of each member of a union. */
  errors?: readonly (readonly ZodIssue[])[];
}

/** How zod's own messages begin; all others are given in the schemas, and are kept. */
const DEFAULT = /^(?:Invalid|Too (?:small|big)|Unrecognized key)/;

const TYPES: Record<string, string> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  null: "null",
};

const FORMATS: Record<string, string> = {
  uuid: "a UUID",
  datetime: "a time such as 2026-11-21T00:00:00Z",
  email: "an e-mail address",
  url: "a URL",
};

/** One issue as errors of fields: the best member of a union may have more than one. */
export function toFieldErrors(issue: ZodIssue): FieldError[] {
  const at = issue.path.map(String).join(".");
  if (!DEFAULT.test(issue.message)) return [{ path: at, message: issue.message }];
  // The error is of the object, which must not have these fields.
  if (issue.code === "unrecognized_keys") {
    const keys = (issue.keys ?? []).map((key) => JSON.stringify(key)).join(", ");
    return [{ path: at, message: `must not have ${keys}` }];
  }
  if (issue.code === "invalid_union") return fromUnion(issue);
  return [{ path: at, message: sentenceOf(issue) }];
}

function sentenceOf(issue: ZodIssue): string {
  const { minimum, maximum, inclusive = true, values = [] } = issue;
  switch (issue.code) {
    case "invalid_type":
      // zod does not keep the value, but its message says that there is none.
      return issue.message.endsWith("received undefined")
        ? "is needed"
        : `must be ${typeOf(issue)}`;
    case "too_small":
      if (hasLength(issue)) {
        return minimum === 1
          ? "must not be empty"
          : `must have at least ${countOf(issue, minimum)}`;
      }
      return `must be ${inclusive ? "at least" : "more than"} ${minimum}`;
    case "too_big":
      if (hasLength(issue)) return `must have at most ${countOf(issue, maximum)}`;
      return `must be ${inclusive ? "at most" : "less than"} ${maximum}`;
    case "invalid_value":
      return values.length === 1
        ? `must be ${JSON.stringify(values[0])}`
        : `must be one of ${values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "invalid_format": {
      const format = FORMATS[issue.format ?? ""];
      return format === undefined ? `must match ${issue.pattern}` : `must be ${format}`;
    }
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    default:
      return "is not valid";
  }
}

function typeOf({ expected = "" }: ZodIssue): string {
  return TYPES[expected] ?? `of type ${expected}`;
}

function hasLength({ origin }: ZodIssue): boolean {
  return origin === "string" || origin === "array" || origin === "set";
}

function countOf({ origin }: ZodIssue, n: number | bigint | undefined): string {
  const unit = origin === "string" ? ["character", "characters"] : ["entry", "entries"];
  return `${n} ${n === 1 ? unit[0] : unit[1]}`;
}

/** The errors of the member that fits best; where none accepts the type, the types of all. */
function fromUnion({ path, errors = [] }: ZodIssue): FieldError[] {
  const at = path.map(String).join(".");
  const isOfType = (issues: readonly ZodIssue[]) =>
    !issues.some((issue) => issue.path.length === 0 && issue.code === "invalid_type");
  const members = errors.filter(isOfType);
  if (members.length === 0) {
    const types = [...new Set(errors.flat().map(typeOf))];
    return [{
      path: at,
      message: types.length === 0 ? "is not valid" : `must be ${types.join(" or ")}`,
    }];
  }
  const best = members.reduce((one, other) => other.length < one.length ? other : one);
  return best.flatMap((issue) => toFieldErrors({ ...issue, path: [...path, ...issue.path] }));
}
