import type { MutableRef } from "preact/hooks";
import type { MacroActions } from "../../../protocol/canned_responses.ts";
import type { Trigger } from "../triggers.ts";

export interface SuggestionsProps {
  /** Of the listbox. */
  id: string;
  trigger: Trigger;
  /** The text of the composer. */
  text: () => string;
  /** Puts a text into the composer, with the caret at a place. */
  onPut: (text: string, caret: number) => void;
  onMacro: (actions: MacroActions) => void;
  onClose: () => void;
  /** The id of the current option, for the text area; null: there is none. */
  onActive: (id: string | null) => void;
  /** Set to what handles a key of the text area; it returns whether it did. */
  keys: MutableRef<(event: KeyboardEvent) => boolean>;
}
