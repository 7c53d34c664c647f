/** The draft of a widget: its errors and its changes. */
import type { WidgetAppearance, WidgetConfig } from "../../protocol/model.ts";
import type { FieldError } from "../../protocol/errors.ts";
import { isHex } from "./accent.ts";
import { ANY, readOrigin } from "./origins.ts";

export interface OriginRow {
  /** Identifies the row while others are added and removed. */
  key: number;
  text: string;
}

export interface WidgetDraft {
  name: string;
  enabled: boolean;
  origins: OriginRow[];
  appearance: WidgetAppearance;
}

export interface WidgetChanges {
  name?: string;
  enabled?: boolean;
  allowedOrigins?: string[];
  appearance?: Partial<WidgetAppearance>;
}

/** Sentences by field: "name", "origins.{key}", "appearance.accent". */
export type DraftErrors = Record<string, string>;

export function draftOf(widget: WidgetConfig): WidgetDraft {
  return {
    name: widget.name,
    enabled: widget.enabled,
    origins: widget.allowedOrigins.map((text, key) => ({ key, text })),
    appearance: { ...widget.appearance },
  };
}

/** Applies the changes of the draft to a version that somebody else has saved meanwhile. */
export function mergeDraft(
  base: WidgetConfig,
  draft: WidgetDraft,
  theirs: WidgetConfig,
): WidgetDraft {
  const mine = changesOf(base, draft);
  const merged = draftOf(theirs);
  if (mine === null) return merged;
  return {
    name: mine.name === undefined ? merged.name : draft.name,
    enabled: mine.enabled === undefined ? merged.enabled : draft.enabled,
    origins: mine.allowedOrigins === undefined ? merged.origins : draft.origins,
    appearance: { ...merged.appearance, ...mine.appearance },
  };
}

/** The rows with text. An empty row is ignored. */
function filled(draft: WidgetDraft): OriginRow[] {
  return draft.origins.filter(({ text }) => text.trim() !== "");
}

export function draftErrors(draft: WidgetDraft): DraftErrors {
  const errors: DraftErrors = {};
  if (draft.name.trim() === "") errors.name = "Enter a name.";
  const seen = new Set<string>();
  for (const { key, text } of filled(draft)) {
    const read = readOrigin(text);
    if ("error" in read) errors[`origins.${key}`] = read.error;
    else if (seen.has(read.origin)) {
      errors[`origins.${key}`] = "This website is in the list already.";
    } else seen.add(read.origin);
  }
  if (seen.has(ANY) && seen.size > 1) {
    const any = filled(draft).find(({ text }) => text.trim() === ANY)!;
    errors[`origins.${any.key}`] ??= "“*” means any website: remove it, or the others.";
  }
  if (draft.appearance.title.trim() === "") errors["appearance.title"] = "Enter a title.";
  if (!isHex(draft.appearance.accent)) {
    errors["appearance.accent"] = "Enter a colour such as #4f46e5.";
  }
  return errors;
}

/**
 * The body of the PATCH that makes the widget equal to the draft; null where nothing has changed.
 */
export function changesOf(widget: WidgetConfig, draft: WidgetDraft): WidgetChanges | null {
  const changes: WidgetChanges = {};
  if (draft.name.trim() !== widget.name) changes.name = draft.name.trim();
  if (draft.enabled !== widget.enabled) changes.enabled = draft.enabled;
  const origins = filled(draft).map(({ text }) => {
    const read = readOrigin(text);
    return "origin" in read ? read.origin : text.trim();
  });
  if (origins.join("\n") !== widget.allowedOrigins.join("\n")) changes.allowedOrigins = origins;
  const entries = Object.entries(draft.appearance)
    .map(([key, value]) => [key, value.trim()] as const)
    .filter(([key, value]) => value !== widget.appearance[key as keyof WidgetAppearance]);
  if (entries.length > 0) changes.appearance = Object.fromEntries(entries);
  return Object.keys(changes).length > 0 ? changes : null;
}

/** Converts the server's errors to those of the draft; "" has the errors of no field. */
export function errorsByField(draft: WidgetDraft, fields: readonly FieldError[]): DraftErrors {
  const rows = filled(draft);
  const errors: DraftErrors = {};
  for (const { path, message } of fields) {
    const index = /^allowedOrigins\.(\d+)$/.exec(path)?.[1];
    const row = index === undefined ? undefined : rows[Number(index)];
    const [group, part] = path.split(".");
    const known = path === "name" || (group === "appearance" && part! in draft.appearance);
    const field = row !== undefined ? `origins.${row.key}` : known ? path : "";
    errors[field] ??= message;
  }
  return errors;
}
