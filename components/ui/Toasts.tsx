import { CircleAlert, CircleCheck, X } from "lucide-preact";
import type { ToastModel } from "../live/toasts.ts";
import { IconButton } from "./Button.tsx";

/** Short messages at the bottom. They stay while the pointer or the focus is on them. */
export function Toasts({ toasts }: { toasts: ToastModel }) {
  return (
    <div
      class="toasts"
      role="region"
      aria-label="Notices"
      onMouseEnter={toasts.pause}
      onMouseLeave={toasts.resume}
      onFocusIn={toasts.pause}
      onFocusOut={toasts.resume}
    >
      <div aria-live="polite" class="toast-list">
        {toasts.list.value.map((toast) => (
          <div key={toast.id} class="toast" data-tone={toast.tone}>
            {toast.tone === "bad" ? <CircleAlert size={16} /> : <CircleCheck size={16} />}
            <p dir="auto">{toast.text}</p>
            {toast.action && (
              <button
                type="button"
                class="toast-action"
                onClick={() => {
                  toasts.dismiss(toast.id);
                  toast.action?.run();
                }}
              >
                {toast.action.label}
              </button>
            )}
            <IconButton
              label="Dismiss"
              size="s"
              tipAt="above"
              onClick={() => toasts.dismiss(toast.id)}
            >
              <X size={16} />
            </IconButton>
          </div>
        ))}
      </div>
    </div>
  );
}
