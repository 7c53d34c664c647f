import { signal } from "@preact/signals";

export interface Toast {
  id: number;
  tone: "good" | "bad";
  text: string;
  action?: { label: string; run: () => void };
}

/** Milliseconds that a toast stays; errors stay longer because they need more attention. */
const STAY_MS = { good: 6_000, bad: 12_000 };
const MAX_TOASTS = 3;

export type ToastModel = ReturnType<typeof createToasts>;

/** The toasts of one page. `show` with the text of a visible toast renews that toast. */
export function createToasts() {
  const list = signal<Toast[]>([]);
  const left = new Map<number, number>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let last = 0;
  let paused = false;
  const TICK_MS = 250;

  const tick = () => {
    if (paused) return;
    for (const [id, ms] of left) {
      if (ms <= TICK_MS) dismiss(id);
      else left.set(id, ms - TICK_MS);
    }
  };
  const dismiss = (id: number) => {
    left.delete(id);
    list.value = list.value.filter((toast) => toast.id !== id);
    if (left.size > 0) return;
    clearInterval(timer);
    timer = undefined;
    // The toast under the pointer is removed, so the pointer will not leave it.
    paused = false;
  };
  const show = (toast: Omit<Toast, "id">): number => {
    for (const same of list.value) if (same.text === toast.text) dismiss(same.id);
    const id = ++last;
    list.value = [...list.value, { ...toast, id }].slice(-MAX_TOASTS);
    for (const known of left.keys()) {
      if (!list.value.some((one) => one.id === known)) left.delete(known);
    }
    left.set(id, STAY_MS[toast.tone]);
    timer ??= setInterval(tick, TICK_MS);
    return id;
  };
  return {
    list,
    show,
    dismiss,
    pause: () => void (paused = true),
    resume: () => void (paused = false),
  };
}
