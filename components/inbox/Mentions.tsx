import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import type { User } from "../../protocol/model.ts";
import { Avatar } from "../ui/Avatar.tsx";
import { useInbox } from "./context.ts";
import { candidates, type MentionQuery, mentionQuery, withMention } from "./mention_query.ts";

const SHOWN = 6;
const LIST = "composer-mentions";

/**
 * Names after "@" in a note. The focus stays in the text: arrows move, Enter and Tab select, Esc
 * closes. `change` gets the text with the selected name.
 */
export function useMentions(
  box: RefObject<HTMLTextAreaElement>,
  on: boolean,
  change: (text: string) => void,
) {
  const { users, user } = useInbox();
  const [query, setQuery] = useState<MentionQuery | null>(null);
  const [at, setAt] = useState(0);
  const colleagues = users.value.filter((one) => one.disabledAt === null && one.id !== user.id);
  const found = on && query !== null ? candidates(colleagues, query, SHOWN) : [];
  const chosen = found[Math.min(at, found.length - 1)];

  /** Call it after every change of the text or the caret. */
  const look = () => {
    const area = box.current;
    const caret = area?.selectionStart ?? 0;
    const next = area && area.selectionEnd === caret ? mentionQuery(area.value, caret) : null;
    if (next?.text !== query?.text || next?.at !== query?.at) setAt(0);
    setQuery(next);
  };
  const take = (person: User) => {
    const area = box.current;
    if (area === null || query === null) return;
    const next = withMention(area.value, query, person.name);
    setQuery(null);
    change(next.text);
    // After the text is rendered, which moves the caret to the end.
    requestAnimationFrame(() => {
      area.focus();
      area.setSelectionRange(next.caret, next.caret);
    });
  };
  /** True: the key was handled by the list. */
  const onKeyDown = (event: KeyboardEvent): boolean => {
    if (chosen === undefined) return false;
    const index = found.indexOf(chosen);
    if (event.key === "ArrowDown") setAt((index + 1) % found.length);
    else if (event.key === "ArrowUp") setAt((index - 1 + found.length) % found.length);
    else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") take(chosen);
    else if (event.key === "Escape") setQuery(null);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };

  return {
    look,
    close: () => setQuery(null),
    onKeyDown,
    /** For the text area, which has the focus. */
    aria: chosen === undefined ? {} : {
      "aria-autocomplete": "list" as const,
      "aria-controls": LIST,
      "aria-activedescendant": `${LIST}-${chosen.id}`,
    },
    list: chosen && (
      <div class="mention-list" id={LIST} role="listbox" aria-label="Colleagues">
        {found.map((person) => (
          <div
            key={person.id}
            id={`${LIST}-${person.id}`}
            role="option"
            aria-selected={person === chosen ? "true" : "false"}
            // The text keeps the focus.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => take(person)}
          >
            <Avatar id={person.id} name={person.name} size="s" shape="team" />
            <span class="truncate" dir="auto">{person.name}</span>
          </div>
        ))}
      </div>
    ),
  };
}
