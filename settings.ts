/**
 * Every setting, from the environment. `settings/` has them in groups, one file for each subject;
 * the table of docs/settings.md is made from the same definitions.
 */
import type { Group, ValuesOf } from "./settings/define.ts";
import {
  GROUPS,
  type Groups,
  type SettingName,
  SETTINGS,
  type Settings,
} from "./settings/groups.ts";
import { refuseMisspelt } from "./settings/misspelt.ts";
import { type Environment, readSetting } from "./settings/read.ts";
import { checkTogether } from "./settings/together.ts";

export { SettingsError } from "./settings/error.ts";
export { type SettingName, SETTINGS, type Settings } from "./settings/groups.ts";

/**
 * Reads all settings from an environment.
 *
 * @throws {SettingsError} with one line that names the setting, its value and what is allowed.
 */
export function readSettings(env: Environment): Settings {
  refuseMisspelt(Object.keys(env), new Set<string>(SETTINGS.map(({ name }) => name)));
  const given = new Set<SettingName>();
  const slices = Object.entries<Group>(GROUPS).map(([name, group]) => {
    const values = Object.entries(group).map(([field, setting]) => {
      const read = readSetting(env, setting);
      if (read.given) given.add(setting.name as SettingName);
      return [field, read.value];
    });
    return [name, Object.fromEntries(values)];
  });
  const settings: Settings = {
    ...Object.fromEntries(slices) as { readonly [G in keyof Groups]: ValuesOf<Groups[G]> },
    given,
    onDeploy: isOnDeploy(env),
  };
  checkTogether(settings);
  return settings;
}

/** Deno Deploy sets it in every instance. */
const isOnDeploy = ({ DENO_DEPLOY }: Environment) =>
  DENO_DEPLOY !== undefined && !["", "0", "false"].includes(DENO_DEPLOY);

/** Limits and times among the settings, by their names. */
const IS_LIMIT = /^(?:LIMIT|MAX)_|^(?!DATABASE_).*_MS$/;

/** What limits clients on this server, in the order of the documentation. */
export function limitsOf(settings: Settings) {
  return Object.entries<Group>(GROUPS).flatMap(([slice, group]) => {
    const values = settings[slice as keyof Groups] as Readonly<Record<string, unknown>>;
    return Object.entries(group).flatMap(([field, { name, about }]) => {
      const value = values[field];
      if (!IS_LIMIT.test(name) || typeof value !== "number") return [];
      return [{ name, about, value, isDefault: !settings.given.has(name as SettingName) }];
    });
  });
}
