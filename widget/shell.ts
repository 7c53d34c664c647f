/** What the loader and the panel know of one another; the panel is a chunk of its own. */
import type { WidgetAppearance } from "../protocol/model.ts";

export type WidgetEvent = "ready" | "opened" | "closed" | "message" | "unread";

export interface Visitor {
  name?: string;
  email?: string;
}

/** The loader's side. */
export interface Shell {
  widgetKey: string;
  /** Where Parley is, with a slash at the end: "https://chat.example.com/". */
  base: string;
  /** BCP 47, e.g. "en-GB"; for dates, and told to the server. */
  locale: string;
  /** As it is now. */
  appearance: WidgetAppearance;
  root: ShadowRoot;
  launcher: HTMLElement;
  emit(event: WidgetEvent, detail: unknown): void;
  setUnread(count: number): void;
  /** The widget was given another look. */
  setAppearance(appearance: WidgetAppearance): void;
  /** The widget was switched off, or is not for this website any more. */
  vanish(): void;
  /** The panel wants to be closed: Esc, its close button. */
  close(): void;
}

/** The panel's side. */
export interface Panel {
  open(): void;
  close(): void;
  identify(visitor: Visitor): void;
  /** Connects without being opened: the bot may have something to say on this page. */
  connect(): void;
  /** Ends the connection and removes every node and listener; with `forget` also what is stored. */
  destroy(forget: boolean): void;
}

export interface PanelModule {
  start(shell: Shell): Panel;
}
