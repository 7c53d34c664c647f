import "../../styles/suggestions.css";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useOutside } from "../use_outside.ts";
import { EMOJI, findEmoji, GROUPS } from "./emoji.ts";

const COLUMNS = 8;
const FOUND = 64;
const ID = "emoji-grid";

/** All emoji by group, and a search. The focus stays in the search: arrows move, Enter selects. */
export function EmojiPicker({ onPick, onClose, usual = [] }: {
  onPick: (emoji: string) => void;
  /** Nothing was picked. */
  onClose: () => void;
  /** Shown before all others, in a dialog. */
  usual?: readonly string[];
}) {
  const [query, setQuery] = useState("");
  const [group, setGroup] = useState(GROUPS[0]!.group);
  const [at, setAt] = useState(0);
  const root = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLInputElement>(null);
  const found = query.trim() === ""
    ? EMOJI.filter((emoji) => emoji.group === group)
    : findEmoji(query, FOUND);
  const active = Math.min(at, found.length - 1);
  useLayoutEffect(() => box.current?.focus(), []);
  useEffect(() => {
    root.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [active, group, query]);
  useOutside(root, usual.length === 0, onClose);

  function onKeyDown(event: KeyboardEvent) {
    const step = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: COLUMNS,
      ArrowUp: -COLUMNS,
    }[event.key];
    // The arrows move in the text as long as there is one.
    const inText = query !== "" && (step === 1 || step === -1);
    if (event.key === "Escape") onClose();
    else if (event.key === "Enter" && event.target === box.current) {
      const emoji = found[active];
      if (emoji !== undefined) onPick(emoji.unicode);
    } else if (step !== undefined && !inText) {
      setAt(Math.max(0, Math.min(found.length - 1, active + step)));
    } else return event.stopPropagation();
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div class="emoji-picker" ref={root} role="dialog" aria-label="Emoji" onKeyDown={onKeyDown}>
      <input
        ref={box}
        autofocus={usual.length > 0}
        type="text"
        role="combobox"
        aria-label="Find an emoji"
        aria-autocomplete="list"
        aria-expanded="true"
        aria-controls={ID}
        aria-activedescendant={found.length > 0 ? `${ID}-${active}` : undefined}
        placeholder="Find an emoji"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
      />
      {usual.length > 0 && (
        <div class="emoji-groups" role="group" aria-label="Usual">
          {usual.map((emoji) => (
            <button
              key={emoji}
              type="button"
              class="emoji"
              onClick={() => onPick(emoji)}
            >
              {emoji}
            </button>
          ))}
        </div>
      )}
      <div class="emoji-groups" role="group" aria-label="Groups">
        {GROUPS.map((one) => (
          <button
            key={one.group}
            type="button"
            aria-label={one.label}
            title={one.label}
            aria-pressed={query.trim() === "" && one.group === group ? "true" : "false"}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => {
              setGroup(one.group);
              setQuery("");
              setAt(0);
              box.current?.focus();
            }}
          >
            <span class="emoji" aria-hidden="true">{one.icon}</span>
          </button>
        ))}
      </div>
      <div class="emoji-grid" id={ID} role="listbox" aria-label="Emoji">
        {found.map(({ unicode, label }, index) => (
          <div
            key={unicode}
            id={`${ID}-${index}`}
            class="emoji"
            role="option"
            aria-label={label}
            aria-selected={index === active ? "true" : "false"}
            title={label}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() =>
              onPick(unicode)}
          >
            {unicode}
          </div>
        ))}
      </div>
      {found.length === 0 && <p class="suggestions-foot">No emoji has this name.</p>}
    </div>
  );
}
