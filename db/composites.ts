/**
 * Rows in the text form of an array of composite values, which the server reads column by column,
 * without parsing JSON. See "Composite Type Input and Output Syntax" and "Array Input and
 * Output Syntax" in the documentation of Postgres.
 */

export type CompositeValue = string | number | boolean | Date | null;

/** For `::some_type[]`, where the type has as many columns as each row has values. */
export function toComposites(rows: readonly (readonly CompositeValue[])[]): string {
  let text = "{";
  for (const [i, row] of rows.entries()) {
    text += i === 0 ? '"(' : ',"(';
    for (let column = 0; column < row.length; column++) {
      if (column > 0) text += ",";
      text += field(row[column]!);
    }
    text += ')"';
  }
  return text + "}";
}

/** A value in a row in an array, so it is quoted twice. An empty field is null. */
function field(value: CompositeValue): string {
  if (value === null) return "";
  if (typeof value !== "string") {
    return value instanceof Date ? value.toISOString() : String(value);
  }
  const special = value.includes('"') || value.includes("\\");
  return `\\"${special ? value.replace(/["\\]/g, escapeTwice) : value}\\"`;
}

/** Of `"`: `\"` in the row, whose two characters are `\\\"` in the array. */
function escapeTwice(character: string): string {
  return character === '"' ? '\\\\\\"' : "\\\\\\\\";
}
