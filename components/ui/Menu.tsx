import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Check } from "lucide-preact";

export interface MenuTriggerProps {
  id: string;
  "aria-haspopup": "menu";
  "aria-expanded": "true" | "false";
  "aria-controls": string;
  onClick: () => void;
  onKeyDown: (event: KeyboardEvent) => void;
}

export interface MenuProps {
  /** The accessible name of the menu. */
  label: string;
  align?: "start" | "end";
  side?: "bottom" | "top" | "end";
  /** Renders the button that opens the menu; gets the attributes of a menu button. */
  trigger: (props: MenuTriggerProps) => ComponentChildren;
  /** Rendered while the menu is open. `close` returns the focus to the trigger. */
  children: (close: () => void) => ComponentChildren;
}

const ITEMS = '[role="menuitem"],[role="menuitemradio"],[role="menuitemcheckbox"]';

/** A menu button after the ARIA pattern: arrows, Home and End move, Esc and Tab close. */
export function Menu({ label, align, side, trigger, children }: MenuProps) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const startAt = useRef<"first" | "last">("first");
  const id = useId();
  const button = () => root.current?.querySelector<HTMLElement>("[aria-haspopup]");
  const items = () => [...root.current?.querySelectorAll<HTMLElement>(ITEMS) ?? []];
  const close = () => {
    setOpen(false);
    button()?.focus();
  };

  useEffect(() => {
    if (!open) return;
    const all = items();
    const checked = all.find((item) => item.ariaChecked === "true");
    (startAt.current === "last" ? all.at(-1) : checked ?? all[0])?.focus();
    const outside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);

  const move = (event: JSX.TargetedKeyboardEvent<HTMLElement>) => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = {
      ArrowDown: all[(at + 1) % all.length],
      ArrowUp: all[(at - 1 + all.length) % all.length],
      Home: all[0],
      End: all.at(-1),
    }[event.key];
    if (to) {
      event.preventDefault();
      to.focus();
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (event.key === "Tab") setOpen(false);
    // The page's shortcuts do not act while a menu is open.
    event.stopPropagation();
  };

  return (
    <div class="menu-anchor" ref={root}>
      {trigger({
        id: `${id}-button`,
        "aria-haspopup": "menu",
        "aria-expanded": open ? "true" : "false",
        "aria-controls": id,
        onClick: () => {
          startAt.current = "first";
          setOpen(!open);
        },
        onKeyDown: (event) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
          event.preventDefault();
          event.stopPropagation();
          startAt.current = event.key === "ArrowUp" ? "last" : "first";
          setOpen(true);
        },
      })}
      <div
        class="menu"
        id={id}
        role="menu"
        aria-label={label}
        data-align={align}
        data-side={side}
        hidden={!open}
        onKeyDown={move}
      >
        {open && children(close)}
      </div>
    </div>
  );
}

export interface MenuItemProps {
  icon?: ComponentChildren;
  note?: ComponentChildren;
  /** One option of a choice, with a tick where it is selected. */
  checked?: boolean;
  onSelect: () => void;
  children: ComponentChildren;
}

export function MenuItem({ icon, note, checked, onSelect, children }: MenuItemProps) {
  return (
    <button
      type="button"
      class="menu-item"
      role={checked === undefined ? "menuitem" : "menuitemradio"}
      aria-checked={checked === undefined ? undefined : checked ? "true" : "false"}
      tabIndex={-1}
      onClick={onSelect}
    >
      {icon}
      <span class="menu-label">{children}</span>
      {note && <span class="menu-note">{note}</span>}
      {checked && <Check class="menu-check" size={16} aria-hidden="true" />}
    </button>
  );
}

export function MenuHeading({ children }: { children: ComponentChildren }) {
  return <div class="menu-heading" role="presentation">{children}</div>;
}

export function MenuLine() {
  return <div class="menu-line" role="separator" />;
}
