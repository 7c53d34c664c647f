/**
 * One page of a list that new entries are appended to. The cursor is the key of a page's last
 * entry, so a client that reads all pages misses no entry that stays in the list.
 */
export function paginate<T, R>(
  all: T[],
  keyOf: (entry: T) => string,
  cursor: string | undefined,
  limit: number,
  make: (items: T[], next: string | null) => R,
): R {
  const start = cursor === undefined ? 0 : all.findIndex((entry) => keyOf(entry) === cursor) + 1;
  const items = all.slice(start, start + limit);
  const last = items.at(-1);
  const hasMore = last !== undefined && start + limit < all.length;
  return make(items, hasMore ? keyOf(last) : null);
}
