/** How long a test waits for what has to happen, on a machine that is busy with other things. */
export const DEADLINE_MS = 30_000;
/** Between two looks at what cannot say by itself that it has changed. */
const LOOK_MS = 20;

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

/**
 * Looks until it fits, and returns what fits: for answers that only asking brings.
 *
 * @throws with what came last, when it does not fit in time.
 */
export async function poll<T>(
  look: () => T | Promise<T>,
  fits: (found: T) => boolean,
  what: string,
  ms = DEADLINE_MS,
): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (fits(found)) return found;
    if (Date.now() > deadline) {
      throw new Error(`Waited ${ms} ms in vain for ${what}: ${JSON.stringify(found)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
