/**
 * One page in the order of the list, which is the order of coming: who comes later stands behind
 * the cursor, so walking the pages misses nobody who stays.
 */
export function pageOf<T, R>(
  all: T[],
  keyOf: (one: T) => string,
  cursor: string | undefined,
  limit: number,
  make: (items: T[], next: string | null) => R,
): R {
  const start = cursor === undefined ? 0 : all.findIndex((one) => keyOf(one) === cursor) + 1;
  const items = all.slice(start, start + limit);
  const last = items.at(-1);
  const more = last !== undefined && start + limit < all.length;
  return make(items, more ? keyOf(last) : null);
}
