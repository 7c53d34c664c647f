/** Reads one setting from an environment. An empty value counts as unset. */
import type { Setting } from "./define.ts";
import { SettingsError } from "./error.ts";

export type Environment = Record<string, string | undefined>;

/**
 * @returns its value, and whether it was given or is the default.
 * @throws {SettingsError} with one line that names the setting, its value and what is allowed.
 */
export function readSetting(
  env: Environment,
  setting: Setting,
): { value: unknown; given: boolean } {
  const { name, raw } = inEnvironment(env, setting);
  const given = raw !== undefined && raw !== "";
  const text = given ? raw : setting.default;
  if (text === undefined) return { value: undefined, given };
  // Only lists have it as their default.
  if (text === "") return { value: [], given };
  const result = setting.schema.safeParse(text);
  if (result.success) return { value: result.data, given };
  const shown = setting.secret === true ? "(secret)" : JSON.stringify(text);
  const allowed = result.error.issues[0]!.message;
  throw new SettingsError(`Cannot start: setting ${name} is ${shown}: it ${allowed}`);
}

/** The value, and under which of the setting's names it is in the environment. */
function inEnvironment(
  env: Environment,
  { name, alias }: Setting,
): { name: string; raw: string | undefined } {
  const own = env[name]?.trim();
  const other = alias === undefined ? "" : env[alias]?.trim() ?? "";
  if (alias === undefined || other === "") return { name, raw: own };
  if (own === undefined || own === "") return { name: alias, raw: other };
  const sorted = (value: string) => value.split(",").map((entry) => entry.trim()).sort().join();
  if (sorted(own) !== sorted(other)) {
    throw new SettingsError(
      `Cannot start: settings ${name} and ${alias} are both set, to "${own}" and "${other}": ` +
        "they mean the same, so one of them is enough",
    );
  }
  return { name, raw: own };
}
