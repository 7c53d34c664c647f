import type { ComponentChildren, JSX, Ref } from "preact";
import { Spinner } from "./Spinner.tsx";

type ButtonAttributes = Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, "size" | "icon">;

export interface ButtonProps extends ButtonAttributes {
  kind?: "primary" | "plain" | "quiet" | "danger";
  size?: "s" | "m" | "l";
  wide?: boolean;
  /** In flight: shows a spinner, and presses do nothing, but the focus stays where it is. */
  busy?: boolean;
  /** Shown as not possible and told so to screen readers, but still reachable by keyboard. */
  unavailable?: boolean;
  icon?: ComponentChildren;
  buttonRef?: Ref<HTMLButtonElement>;
}

export function Button(props: ButtonProps) {
  const { kind = "plain", size, wide, busy, unavailable, icon, buttonRef, children, ...rest } =
    props;
  const blocked = busy || unavailable;
  return (
    <button
      type="button"
      {...rest}
      ref={buttonRef}
      class="button"
      data-kind={kind}
      data-size={size}
      data-wide={wide ? "" : undefined}
      aria-busy={busy ? "true" : undefined}
      aria-disabled={blocked ? "true" : undefined}
      onClick={blocked ? (event) => event.preventDefault() : rest.onClick}
    >
      {busy ? <Spinner /> : icon}
      {children}
    </button>
  );
}

export interface IconButtonProps extends ButtonAttributes {
  /** The accessible name, and the tip on hover and focus. */
  label: string;
  /** A key that does the same, shown in the tip. */
  shortcut?: string;
  size?: "s" | "m";
  tipAt?: "below" | "above" | "end" | "start";
  buttonRef?: Ref<HTMLButtonElement>;
}

export function IconButton(
  { label, shortcut, size, tipAt, buttonRef, children, ...rest }: IconButtonProps,
) {
  return (
    <button
      type="button"
      {...rest}
      ref={buttonRef}
      class="icon-button"
      data-size={size}
      aria-label={label}
      aria-keyshortcuts={shortcut}
      data-tip={shortcut === undefined ? label : `${label}  ${shortcut}`}
      data-tip-at={tipAt}
    >
      {children}
    </button>
  );
}
