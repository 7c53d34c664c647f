/**
 * Caches the result for the last text alone: one text is sent to all members of a room in turn, so
 * it is computed once for all of them.
 */
export function memoizeLast<T>(compute: (text: string) => T): (text: string) => T {
  let last: { text: string; result: T } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, result: compute(text) };
    return last.result;
  };
}
