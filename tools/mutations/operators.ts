/** Small faults of the kind that a person makes in one line of TypeScript. */
export interface Operator {
  name: string;
  /** The changed line; null: the line is removed; undefined: the operator does not apply. */
  apply(line: string): string | null | undefined;
}

const isCode = (line: string) =>
  !/^\s*(\*|\/\/|\/\*|import |export \*|type |interface )/.test(line);

function swap(name: string, pattern: RegExp, instead: (found: string) => string): Operator {
  return {
    name,
    apply(line) {
      if (!isCode(line) || !pattern.test(line)) return undefined;
      return line.replace(pattern, instead);
    },
  };
}

function remove(name: string, pattern: RegExp): Operator {
  return { name, apply: (line) => isCode(line) && pattern.test(line) ? null : undefined };
}

const COMPARISONS: Record<string, string> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };

export const OPERATORS: Operator[] = [
  swap("boundary", / (<=?|>=?) (?=[\w(.])/, (found) => ` ${COMPARISONS[found.trim()]} `),
  swap("equality", / [!=]== /, (found) => found === " === " ? " !== " : " === "),
  swap("and/or", / (&&|\|\|) /, (found) => found === " && " ? " || " : " && "),
  swap("off by one", / [+-] 1\b(?!_)/, () => ""),
  swap("boolean", /\b(true|false)\b(?=[,;)])/, (found) => found === "true" ? "false" : "true"),
  swap("order", /"(asc|desc)"/, (found) => found === '"asc"' ? '"desc"' : '"asc"'),
  swap(
    "min/max",
    /Math\.(min|max)\(/,
    (found) => found.includes("min") ? "Math.max(" : "Math.min(",
  ),
  remove("no call", /^\s+(await )?[a-z][\w.?]*\((?!.*=>).*\);$/),
  remove("no guard", /^\s+if \(.*\) (return|continue|break)\b.*;$/),
  remove("no refusal", /^\s+if \(.*\) throw .*;$/),
  remove("no condition", /^\s+\.(where|andWhere)\(.*\)$/),
];
