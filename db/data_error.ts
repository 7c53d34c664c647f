/** SQLSTATE classes that are caused by a row: bad data, broken constraint, too complex. */
const DATA_ERROR = /^(22|23|54)/;

/** Whether a statement failed because of its data, so that its parts may succeed one by one. */
export function isDataError(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && DATA_ERROR.test(code);
}
