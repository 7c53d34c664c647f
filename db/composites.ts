/**
 * Rows as the text form of an array of composite values, which the server reads in about half of the
 * time that JSON takes. See "Composite Type Input and Output Syntax" and "Array Input and Output
 * Syntax" in the documentation of Postgres.
 */

export type CompositeValue = string | number | boolean | Date | null;

const SPECIAL = /["\\]/g;

/** For `::some_type[]`, where the type has as many columns as each row has values. */
export function toComposites(rows: readonly (readonly CompositeValue[])[]): string {
  return `{${rows.map(element).join(",")}}`;
}

function element(row: readonly CompositeValue[]): string {
  return `"${`(${row.map(field).join(",")})`.replace(SPECIAL, "\\$&")}"`;
}

/** Nothing is null; what is not text needs no quotes. */
function field(value: CompositeValue): string {
  if (value === null) return "";
  if (typeof value === "string") return `"${value.replace(SPECIAL, "\\$&")}"`;
  return value instanceof Date ? value.toISOString() : String(value);
}
