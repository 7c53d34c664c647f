import type { WidgetAppearance } from "../../protocol/model.ts";
import type { PublicWidget } from "../../protocol/rest.ts";

export interface TagConfig {
  widgetKey: string;
  base: string;
  locale: string;
  position: string | undefined;
  accent: string | undefined;
}

/** The attributes of the script tag, or null where the key or the address is missing. */
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

/**
 * Requests the widget's settings; the tag's own attributes take precedence. Throws with a sentence.
 */
export async function fetchWidget(tag: TagConfig): Promise<PublicWidget> {
  const address = `${tag.base}api/widgets/${encodeURIComponent(tag.widgetKey)}`;
  const response = await fetch(address).catch((error) => {
    // To a page a refused origin looks like a network failure; the site's owner needs a hint.
    throw new Error(
      `${error.message}. Is "${location.origin}" among the widget's allowed origins?`,
    );
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer?.detail ?? `status ${response.status}`);
  const widget = answer as PublicWidget;
  return { ...widget, appearance: ownLook(tag, widget.appearance) };
}

/** The server's settings, overridden by the tag's attributes. */
export function ownLook(tag: TagConfig, appearance: WidgetAppearance): WidgetAppearance {
  const own = { ...appearance };
  if (tag.position === "left" || tag.position === "right") own.position = tag.position;
  if (/^#[0-9a-f]{6}$/i.test(tag.accent ?? "")) own.accent = tag.accent as string;
  return own;
}
