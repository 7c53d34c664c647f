/** SQLSTATE classes for which one row is to blame: bad data, broken constraint, too complex. */
const DATA_ERROR = /^(22|23|54)/;

/** Whether a statement failed for what was in it, so that its parts may succeed one by one. */
export function isDataError(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && DATA_ERROR.test(code);
}
