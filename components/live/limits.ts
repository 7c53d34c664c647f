/**
 * Limits of the protocol for the browser. The protocol's schemas have them, too, but importing
 * those would add the whole validator to the page; limits_test.ts checks that both are equal.
 */

/** Longest content of a message, in UTF-16 code units. */
export const MAX_CONTENT = 20_000;
/** Characters of a canned reply's short code, and of its folder. */
export const MAX_SHORT_CODE = 40;
export const MAX_FOLDER = 60;
/** Characters of a search. */
export const MAX_QUERY = 200;
/** Labels in all, of one conversation, and the characters of one. */
export const MAX_LABELS = 200;
export const MAX_CONVERSATION_LABELS = 20;
export const MAX_LABEL_NAME = 50;
export const MAX_LABEL_DESCRIPTION = 300;
/** Characters of a team's name, and the highest capacity. */
export const MAX_TEAM_NAME = 50;
export const MAX_CAPACITY = 1000;
/** Characters of a view's name. */
export const MAX_VIEW_NAME = 50;
/** Conversations of one bulk change. */
export const MAX_BULK = 200;
