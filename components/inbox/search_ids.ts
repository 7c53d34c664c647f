/** Ids with which the search box refers to its results. */
export const RESULTS_ID = "search-results";
export const optionId = (key: string) => `found-${key}`;
