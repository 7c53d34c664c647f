import { useRef } from "preact/hooks";
import { CircleAlert, Globe, Plus, X } from "lucide-preact";
import { Button, IconButton } from "../ui/Button.tsx";
import { Notice } from "../ui/Notice.tsx";
import type { DraftErrors, OriginRow } from "./draft.ts";
import { ANY, MAX_ORIGINS, readOrigin } from "./origins.ts";

export interface OriginsEditorProps {
  rows: OriginRow[];
  errors: DraftErrors;
  /** Read-only. */
  locked: boolean;
  onChange: (rows: OriginRow[]) => void;
}

/** The websites that may show a widget: one row each, normalized to an origin on blur. */
export function OriginsEditor({ rows, errors, locked, onChange }: OriginsEditorProps) {
  const list = useRef<HTMLUListElement>(null);
  const add = useRef<HTMLButtonElement>(null);
  const inputs = () => [...list.current?.querySelectorAll("input") ?? []];
  const set = (key: number, text: string) =>
    onChange(rows.map((row) => row.key === key ? { key, text } : row));

  const append = () => {
    const key = Math.max(-1, ...rows.map((row) => row.key)) + 1;
    onChange([...rows, { key, text: "" }]);
    requestAnimationFrame(() => inputs().at(-1)?.focus());
  };
  const remove = (key: number) => {
    const at = rows.findIndex((row) => row.key === key);
    onChange(rows.filter((row) => row.key !== key));
    // The focus goes to the next row, else to the button below.
    requestAnimationFrame(() => (inputs()[at] ?? inputs().at(-1) ?? add.current)?.focus());
  };
  const tidy = (row: OriginRow) => {
    const read = readOrigin(row.text);
    if ("origin" in read && read.origin !== row.text) set(row.key, read.origin);
  };

  return (
    <div class="origins">
      {rows.length > 0 && (
        <ul ref={list}>
          {rows.map((row, index) => {
            const error = errors[`origins.${row.key}`];
            return (
              <li key={row.key} class="field">
                <div class="origin-row">
                  <Globe size={16} aria-hidden="true" />
                  <input
                    id={`origin-${row.key}`}
                    data-field={`origins.${row.key}`}
                    type="text"
                    inputMode="url"
                    value={row.text}
                    placeholder="https://www.example.com"
                    aria-label={`Website ${index + 1}`}
                    aria-invalid={error ? "true" : undefined}
                    aria-describedby={error ? `origin-${row.key}-error` : undefined}
                    autocapitalize="none"
                    autocomplete="off"
                    spellcheck={false}
                    maxLength={255}
                    onInput={(event) => set(row.key, event.currentTarget.value)}
                    onBlur={() => tidy(row)}
                  />
                  {!locked && (
                    <IconButton
                      label={`Remove ${row.text.trim() || `website ${index + 1}`}`}
                      tipAt="start"
                      onClick={() => remove(row.key)}
                    >
                      <X size={16} />
                    </IconButton>
                  )}
                </div>
                {error && (
                  <p class="field-error" id={`origin-${row.key}-error`}>
                    <CircleAlert size={16} aria-hidden="true" />
                    {error}
                  </p>
                )}
              </li>
            );
          })}
        </ul>
      )}
      {rows.every(({ text }) => text.trim() === "") && (
        <Notice tone="plain">
          No website yet: the chat works on this server’s own pages only, such as the demo site.
        </Notice>
      )}
      {rows.some(({ text }) => text.trim() === ANY) && (
        <Notice tone="warn">
          Any website can show this chat, including ones that are not yours. List your own websites
          instead.
        </Notice>
      )}
      {!locked && (
        <Button
          buttonRef={add}
          icon={<Plus size={16} aria-hidden="true" />}
          unavailable={rows.length >= MAX_ORIGINS}
          onClick={append}
        >
          Add a website
        </Button>
      )}
    </div>
  );
}
