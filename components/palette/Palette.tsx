import "../styles/palette.css";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { MessageSquare, Search, UserRound } from "lucide-preact";
import { contactName } from "../format/names.ts";
import { canned, refreshCanned } from "../inbox/suggestions/canned_store.ts";
import type { InboxModel } from "../live/inbox_model.ts";
import { MAX_QUERY } from "../live/limits.ts";
import { navigate } from "../live/page_navigation.ts";
import { createSearch, type SearchModel } from "../live/search_model.ts";
import type { Found } from "../live/search_rows.ts";
import { useWorkspace } from "../shell/context.ts";
import { type Command, fitting } from "./commands.ts";
import { inboxCommands } from "./inbox_commands.ts";
import { pageCommands } from "./page_commands.ts";

/**
 * Everything that can be done here, and every conversation, person and message, by typing. The focus
 * stays in the field: arrows move, Enter does it, Esc closes.
 */
export default function Palette({ inbox }: { inbox: InboxModel | null }) {
  const workspace = useWorkspace();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const search = useMemo(() => searchOf(workspace, inbox, () => dialog.current?.close()), []);

  useEffect(() => {
    dialog.current?.showModal();
    if (inbox !== null) void refreshCanned(inbox.request);
    return search.close;
  }, []);

  const commands = fitting(
    [...(inbox === null ? [] : inboxCommands(inbox, canned.value)), ...pageCommands(workspace)],
    query,
  );
  const rows = [...commands, ...foundCommands(search)];
  const active = Math.min(at, rows.length - 1);
  useEffect(() => {
    document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: "nearest" });
  }, [active, query]);

  function take(command: Command | undefined) {
    if (command === undefined) return;
    // Gives the focus back first: what the command does with it comes after.
    dialog.current?.close();
    command.run();
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.isComposing) return;
    const last = rows.length - 1;
    const to = {
      ArrowDown: active === last ? 0 : active + 1,
      ArrowUp: active <= 0 ? last : active - 1,
      PageDown: Math.min(active + 8, last),
      PageUp: Math.max(active - 8, 0),
    }[event.key];
    if (to !== undefined) setAt(to);
    else if (event.key === "Enter") take(rows[active]);
    else return;
    event.preventDefault();
  }

  return (
    <dialog
      ref={dialog}
      class="dialog palette"
      aria-label="Command palette"
      onClose={() => workspace.paletteOpen.value = false}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="palette-box">
        <Search size={16} aria-hidden="true" />
        <input
          type="text"
          role="combobox"
          dir="auto"
          aria-label="What do you want to do?"
          aria-autocomplete="list"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={rows.length > 0 ? `${id}-${active}` : undefined}
          placeholder="Type a command, a page, a person or a word"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          maxLength={MAX_QUERY}
          autofocus
          value={query}
          onInput={({ currentTarget: { value } }) => {
            setQuery(value);
            setAt(0);
            search.set(value);
          }}
          onKeyDown={onKeyDown}
        />
        <kbd class="kbd" aria-hidden="true">Esc</kbd>
      </div>
      <div class="palette-list" id={id} role="listbox" aria-label="Commands" tabIndex={-1}>
        {[...Map.groupBy(rows.map((row, index) => ({ row, index })), ({ row }) => row.group)]
          .map(([group, members]) => (
            <div key={group} role="group" aria-label={group}>
              <div class="menu-heading" aria-hidden="true">{group}</div>
              {members.map(({ row, index }) => (
                <Row
                  key={row.id}
                  id={`${id}-${index}`}
                  row={row}
                  isActive={index === active}
                  onTake={() => take(row)}
                />
              ))}
            </div>
          ))}
      </div>
      <p class="palette-note" role="status">
        {search.status.value === "asking"
          ? "Searching …"
          : search.status.value === "error"
          ? search.error.value
          : rows.length === 0
          ? `No command, person or message matches “${query}”.`
          : ""}
      </p>
    </dialog>
  );
}

function Row({ id, row, isActive, onTake }: {
  id: string;
  row: Command;
  isActive: boolean;
  onTake: () => void;
}) {
  return (
    <div
      id={id}
      class="menu-item"
      role="option"
      aria-selected={isActive ? "true" : "false"}
      // The field keeps the focus.
      onMouseDown={(event) => event.preventDefault()}
      onClick={onTake}
    >
      <row.Icon size={16} aria-hidden="true" />
      <span class="menu-label" dir="auto">{row.title}</span>
      {row.keys?.split(" ").map((key) => <kbd class="kbd" key={key}>{key}</kbd>)}
    </div>
  );
}

function searchOf(
  { request, announcement, fail }: Pick<
    ReturnType<typeof useWorkspace>,
    "request" | "announcement" | "fail"
  >,
  inbox: InboxModel | null,
  close: () => void,
): SearchModel {
  return createSearch({
    request,
    show(conversationId, message) {
      close();
      if (inbox !== null) inbox.showMessage(conversationId, message);
      else {
        const place = message === undefined ? "" : `?message=${message.id}&seq=${message.seq}`;
        navigate(`/conversations/${conversationId}${place}`);
      }
    },
    announce: (words) => announcement.value = words,
    fail,
  });
}

/** What the search found, after the commands. */
function foundCommands(search: SearchModel): Command[] {
  return search.groups.value.flatMap(({ title: group, rows }) =>
    rows.filter(({ kind }) => kind !== "more").map((row) => ({
      id: row.key,
      group,
      title: titleOfFound(row),
      Icon: row.kind === "contact" ? UserRound : MessageSquare,
      run: () => void search.open(row),
    }))
  );
}

function titleOfFound(row: Found): string {
  switch (row.kind) {
    case "contact": {
      const { id, name, email } = row.contact;
      return [contactName({ id, name: name.text }), email?.text].filter(Boolean).join(" · ");
    }
    case "conversation": {
      const { contact, contextId, preview } = row.conversation;
      const name = contactName({ id: contact.id, name: contact.name.text });
      return [contextId?.text, name, preview].filter(Boolean).join(" · ");
    }
    case "message":
      return `${contactName(row.message.conversation.contact)} · ${row.message.snippet.text}`;
    default:
      return "";
  }
}
