import { Monitor, Moon, Sun } from "lucide-preact";
import type { Theme } from "../storage/preferences.ts";

/** The choices in the account menu and the profile. */
export const THEMES: { value: Theme; label: string; Icon: typeof Sun }[] = [
  { value: "light", label: "Light", Icon: Sun },
  { value: "dark", label: "Dark", Icon: Moon },
  { value: "system", label: "System", Icon: Monitor },
];
