/** How long a test waits for what has to happen, on a machine that is busy with other tests. */
const DEADLINE_MS = 15_000;

/** The promise's outcome, or an error that says what did not come: a test that hangs tells nothing. */
export async function within<T>(
  promise: Promise<T>,
  what: string,
  ms = DEADLINE_MS,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Waited ${ms} ms in vain for ${what}`)),
    ms,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
