import { Monitor, Moon, Sun } from "lucide-preact";
import type { Theme } from "../lib/preferences.ts";

/** What the account menu and the profile offer. */
export const THEMES: { value: Theme; label: string; Icon: typeof Sun }[] = [
  { value: "light", label: "Light", Icon: Sun },
  { value: "dark", label: "Dark", Icon: Moon },
  { value: "system", label: "System", Icon: Monitor },
];
