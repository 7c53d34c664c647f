import type { WidgetAppearance } from "../../protocol/model.ts";
import type { PublicWidget } from "../../protocol/rest.ts";

export interface TagConfig {
  widgetKey: string;
  base: string;
  locale: string;
  position: string | undefined;
  accent: string | undefined;
}

/** What the script tag says, or null where there is no key or no address to work with. */
export function readTag(): TagConfig | null {
  const current = document.currentScript as HTMLScriptElement | null;
  const tag = current?.dataset.widgetKey
    ? current
    : document.querySelector<HTMLScriptElement>("script[src][data-widget-key]");
  const { widgetKey, locale, position, accent } = tag?.dataset ?? {};
  if (!tag || !widgetKey) return null;
  return {
    widgetKey,
    base: new URL(".", tag.src).href,
    locale: locale || document.documentElement.lang || navigator.language || "en",
    position,
    accent,
  };
}

/** Asks the server how the widget looks; the tag's own attributes win. Throws with a sentence. */
export async function fetchWidget(tag: TagConfig): Promise<PublicWidget> {
  const address = `${tag.base}api/widgets/${encodeURIComponent(tag.widgetKey)}`;
  const response = await fetch(address).catch((error) => {
    // A refused origin looks like a network failure to a page; the owner should know where to look.
    throw new Error(
      `${error.message}. Is "${location.origin}" among the widget's allowed origins?`,
    );
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer?.detail ?? `status ${response.status}`);
  const widget = answer as PublicWidget;
  return { ...widget, appearance: ownLook(tag, widget.appearance) };
}

/** What the server says, but for what the tag says. */
export function ownLook(tag: TagConfig, appearance: WidgetAppearance): WidgetAppearance {
  const own = { ...appearance };
  if (tag.position === "left" || tag.position === "right") own.position = tag.position;
  if (/^#[0-9a-f]{6}$/i.test(tag.accent ?? "")) own.accent = tag.accent as string;
  return own;
}
