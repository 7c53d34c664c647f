export interface Emitter<Events> {
  on<T extends keyof Events>(type: T, handler: (data: Events[T]) => unknown): () => void;
  emit<T extends keyof Events>(type: T, data: Events[T]): void;
}

function toConsole(error: unknown) {
  console.error("Parley: a handler failed:", error);
}

/**
 * Calls a handler of the program: what it throws, or rejects with, is reported and has no other
 * effect.
 */
export function protect(fn: () => unknown, report: (error: unknown) => void = toConsole): void {
  try {
    const result = fn();
    if (result instanceof Promise) result.catch(report);
  } catch (error) {
    report(error);
  }
}

/** Typed events. Every handler is called by `protect`. */
export function createEmitter<Events>(report?: (error: unknown) => void): Emitter<Events> {
  const handlers: { [T in keyof Events]?: Set<(data: Events[T]) => unknown> } = {};
  return {
    on(type, handler) {
      const set = handlers[type] ??= new Set();
      // The same function may be registered twice; each registration is removed separately.
      const own = (data: Events[typeof type]) => handler(data);
      set.add(own);
      return () => void set.delete(own);
    },
    emit(type, data) {
      for (const handler of [...handlers[type] ?? []]) protect(() => handler(data), report);
    },
  };
}
