/** The ETag of something whose `updatedAt` tells its versions apart: a rule, a widget. */
export function etagOf({ updatedAt }: { updatedAt: string }): string {
  return `"${updatedAt}"`;
}
