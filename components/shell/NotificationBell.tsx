import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Bell } from "lucide-preact";
import { lazily } from "../files/lazily.tsx";
import { CountBadge } from "../ui/Badge.tsx";
import { ListSkeleton } from "../ui/Skeleton.tsx";
import { useWorkspace } from "./context.ts";

const NotificationPanel = lazily(async () =>
  (await import("./NotificationPanel.tsx")).NotificationPanel
);

/** The bell of the rail, and its list of notifications. */
export function NotificationBell() {
  const { notifications } = useWorkspace();
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };

  useEffect(() => {
    if (!open) return;
    if (notifications.status.value === "error") void notifications.reload();
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

  return (
    <div
      class="bell"
      ref={root}
      onKeyDown={(event) => {
        if (!open || event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        close();
      }}
    >
      <button
        ref={button}
        type="button"
        class="rail-link"
        aria-haspopup="dialog"
        aria-expanded={open ? "true" : "false"}
        aria-controls={open ? id : undefined}
        aria-keyshortcuts="B"
        data-tip="Notifications"
        data-tip-at="end"
        onClick={() => open ? close() : setOpen(true)}
      >
        <Bell size={18} aria-hidden="true" />
        <span class="sr-only">Notifications</span>
        <CountBadge count={notifications.unread.value} noun="unread" />
      </button>
      {open && (
        <NotificationPanel id={id} leave={() => setOpen(false)}>
          <section class="bell-panel">
            <ListSkeleton rows={4} label="Loading notifications" />
          </section>
        </NotificationPanel>
      )}
    </div>
  );
}
