/** A setting that stops the start; its message is one line. */
export class SettingsError extends Error {
  override name = "SettingsError";
}
