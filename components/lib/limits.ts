/**
 * Limits of the protocol as the browser needs them. Its schemas state them too, but importing those
 * would load the whole validator into the page; limits_test.ts keeps the two equal.
 */

/** Longest content of a message, in UTF-16 code units. */
export const MAX_CONTENT = 20_000;
