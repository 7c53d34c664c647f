/** The groups of settings, and what becomes of them. */
import { broker } from "./broker.ts";
import { capacity } from "./capacity.ts";
import { database } from "./database.ts";
import type { NamesOf, Setting, ValuesOf } from "./define.ts";
import { files } from "./files.ts";
import { memory } from "./memory.ts";
import { notifications } from "./notifications.ts";
import { rates } from "./rates.ts";
import { retention } from "./retention.ts";
import { server } from "./server.ts";
import { signIn } from "./sign_in.ts";
import { telemetry } from "./telemetry.ts";
import { timeouts } from "./timeouts.ts";
import { visitors } from "./visitors.ts";

/** In the order of the documentation. */
export const GROUPS = {
  server,
  database,
  broker,
  signIn,
  visitors,
  rates,
  capacity,
  files,
  timeouts,
  memory,
  notifications,
  retention,
  telemetry,
};

export type Groups = typeof GROUPS;

export type SettingName = { [G in keyof Groups]: NamesOf<Groups[G]> }[keyof Groups];

export type Settings = { readonly [G in keyof Groups]: ValuesOf<Groups[G]> } & {
  /** The settings that were given, not defaulted. */
  readonly given: ReadonlySet<SettingName>;
  /** This is an instance on Deno Deploy: others may run beside it, and no file outlives it. */
  readonly onDeploy: boolean;
};

/** All settings, in the order of the documentation. */
export const SETTINGS: readonly Setting<unknown, SettingName>[] = Object.values<
  Record<string, Setting>
>(GROUPS).flatMap((group) => Object.values(group) as Setting<unknown, SettingName>[]);
