/**
 * Limits of the protocol for the browser. The protocol's schemas have them, too, but importing
 * those would add the whole validator to the page; limits_test.ts checks that both are equal.
 */

/** Longest content of a message, in UTF-16 code units. */
export const MAX_CONTENT = 20_000;
