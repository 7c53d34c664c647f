import type { ComponentChildren, JSX, Ref } from "preact";
import { Spinner } from "./Spinner.tsx";

type ButtonAttributes = Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, "size" | "icon">;

export interface ButtonProps extends ButtonAttributes {
  kind?: "primary" | "plain" | "quiet" | "danger";
  size?: "s" | "m" | "l";
  wide?: boolean;
  /** In progress: shows a spinner and ignores presses, but keeps the focus. */
  busy?: boolean;
  /** Shown and announced as not available, but still reachable by keyboard. */
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
  /** The accessible name, and the tooltip on hover and focus. */
  label: string;
  /** A shortcut for the same action, shown in the tooltip. */
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
      data-tip={label}
      data-tip-at={tipAt}
    >
      {children}
    </button>
  );
}
