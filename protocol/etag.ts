/** The ETag of a record whose `updatedAt` identifies the version, such as a rule. */
export function etagOf({ updatedAt }: { updatedAt: string }): string {
  return `"${updatedAt}"`;
}
