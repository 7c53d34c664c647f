import type { ComponentType, RefObject } from "preact";
import { useRef, useState } from "preact/hooks";
import type { MacroActions } from "../../protocol/canned_responses.ts";
import type { SuggestionsProps } from "./suggestions/props.ts";
import { type SuggestionKind, type Trigger, triggerAt } from "./triggers.ts";

export const SUGGESTION_LIST = "composer-suggestions";

export interface SuggestionHost {
  /** What is offered here. */
  kinds: readonly SuggestionKind[];
  /** Gets the text with what was chosen. */
  change: (text: string) => void;
  /** A macro was chosen, whose text is in the composer. */
  onMacro: (actions: MacroActions) => void;
}

/**
 * Lists below the caret: names after "@" in a note, canned replies after "/", emoji after ":". The
 * focus stays in the text: arrows move, Enter and Tab select, Esc closes. The lists are loaded when
 * the first of them is needed.
 */
export function useSuggestions(box: RefObject<HTMLTextAreaElement>, host: SuggestionHost) {
  const [trigger, setTrigger] = useState<Trigger | null>(null);
  // In an object: a component is a function, which useState would call.
  const [loaded, setLoaded] = useState<{ List: ComponentType<SuggestionsProps> } | null>(null);
  const [active, setActive] = useState<string | null>(null);
  const keys = useRef<(event: KeyboardEvent) => boolean>(() => false);
  const loading = useRef(false);

  function load() {
    if (loading.current) return;
    loading.current = true;
    import("./suggestions/Suggestions.tsx").then(
      ({ Suggestions }) => setLoaded({ List: Suggestions }),
      // Offline, for example: the next keystroke tries again.
      () => loading.current = false,
    );
  }

  /** Call it after every change of the text or the caret. */
  function look() {
    const area = box.current;
    const caret = area?.selectionStart ?? 0;
    const next = area && area.selectionEnd === caret
      ? triggerAt(area.value, caret, host.kinds)
      : null;
    if (next !== null) load();
    if (next?.kind === trigger?.kind && next?.at === trigger?.at && next?.text === trigger?.text) {
      return;
    }
    setTrigger(next);
  }

  /** Puts text into the composer, with the caret at a place. */
  function put(text: string, caret: number) {
    setTrigger(null);
    host.change(text);
    // After the text is rendered, which moves the caret to the end.
    requestAnimationFrame(() => {
      box.current?.focus();
      box.current?.setSelectionRange(caret, caret);
    });
  }

  return {
    look,
    close: () => setTrigger(null),
    /** True: the key was handled by the list. */
    onKeyDown: (event: KeyboardEvent): boolean => trigger !== null && keys.current(event),
    /** Writes at the caret, with a space before it if it would stick to a word. */
    insert(text: string) {
      const area = box.current;
      if (area === null) return;
      const { value, selectionStart: from, selectionEnd: to } = area;
      const space = from > 0 && !/\s/.test(value[from - 1]!) && text.startsWith("/") ? " " : "";
      put(value.slice(0, from) + space + text + value.slice(to), from + space.length + text.length);
      requestAnimationFrame(() => requestAnimationFrame(look));
    },
    /** For the text area, which has the focus. */
    aria: trigger === null || active === null ? {} : {
      "aria-autocomplete": "list" as const,
      "aria-controls": SUGGESTION_LIST,
      "aria-activedescendant": active,
    },
    list: trigger !== null && loaded !== null && (
      <loaded.List
        key={trigger.kind}
        id={SUGGESTION_LIST}
        trigger={trigger}
        text={() => box.current?.value ?? ""}
        onPut={put}
        onMacro={host.onMacro}
        onClose={() => setTrigger(null)}
        onActive={setActive}
        keys={keys}
      />
    ),
  };
}
