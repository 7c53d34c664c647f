import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { X } from "lucide-preact";
import { IconButton } from "./Button.tsx";

export interface DialogProps {
  open: boolean;
  title: string;
  onClose: () => void;
  /** The first focus goes to the element with `autofocus` inside, not to the title. */
  focusInside?: boolean;
  /** For a form with more than a few fields. */
  wide?: boolean;
  /** Called before Esc, the backdrop or the button close it; default: it may close. */
  mayClose?: () => boolean;
  children: ComponentChildren;
}

/** A modal dialog: the browser traps the focus, closes on Esc and restores the focus. */
export function Dialog(
  { open, title, onClose, focusInside, wide, mayClose = () => true, children }: DialogProps,
) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (open && dialog?.open === false) dialog.showModal();
    if (!open && dialog?.open) dialog.close();
  }, [open]);
  // A dialog that leaves the page while it is open would not give the focus back.
  useEffect(() => () => ref.current?.close(), []);
  return (
    <dialog
      ref={ref}
      class="dialog"
      data-wide={wide ? "" : undefined}
      aria-labelledby={id}
      onClose={onClose}
      onCancel={(event) => {
        if (event.target === ref.current && !mayClose()) event.preventDefault();
      }}
      onClick={(event) => {
        // Only a click on the backdrop has the dialog itself as its target.
        if (event.target === ref.current && mayClose()) ref.current?.close();
      }}
    >
      {open && (
        <>
          <header>
            {/* Takes the first focus, because the close button would show its tooltip. */}
            <h2 id={id} tabIndex={-1} autofocus={!focusInside} dir="auto">{title}</h2>
            <IconButton
              label="Close"
              tipAt="start"
              onClick={() => mayClose() && ref.current?.close()}
            >
              <X size={16} />
            </IconButton>
          </header>
          <div class="dialog-body">{children}</div>
        </>
      )}
    </dialog>
  );
}
