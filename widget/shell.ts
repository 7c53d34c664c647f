/** The interfaces between the loader and the panel, which is a separate chunk. */
import type { WidgetAppearance } from "../protocol/model.ts";

export type WidgetEvent = "ready" | "opened" | "closed" | "message" | "unread";

export interface Visitor {
  name?: string;
  email?: string;
  /** More for agents to see, such as a plan: texts, numbers, true and false. */
  attributes?: Record<string, string | number | boolean>;
}

/** What the loader provides. */
export interface Shell {
  widgetKey: string;
  /** The address of Parley with a slash at the end: "https://chat.example.com/". */
  base: string;
  /** BCP 47, e.g. "en-GB"; for dates, and sent to the server. */
  locale: string;
  /** The current appearance. */
  appearance: WidgetAppearance;
  root: ShadowRoot;
  launcher: HTMLElement;
  emit(event: WidgetEvent, detail: unknown): void;
  setUnread(count: number): void;
  /** The appearance of the widget was changed. */
  setAppearance(appearance: WidgetAppearance): void;
  /** The widget was disabled, or may not be used on this website any more. */
  vanish(): void;
  /** Closes the panel (Esc, its close button). */
  close(): void;
}

/** What the panel provides. */
export interface Panel {
  open(): void;
  close(): void;
  identify(visitor: Visitor): void;
  /** Connects without being opened, because the bot may write on this page. */
  connect(): void;
  /**
   * Ends the connection, and removes all nodes and listeners; with `forget` also the stored data.
   */
  destroy(forget: boolean): void;
}

export interface PanelModule {
  start(shell: Shell): Panel;
}
