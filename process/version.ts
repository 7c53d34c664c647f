/** The version of this Parley, as CHANGELOG.md names it. */
export const VERSION = "0.1.0";
