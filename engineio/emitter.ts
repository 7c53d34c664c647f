/** The part of node's EventEmitter that socket.io uses, with typed arguments for each event. */
export interface Emitter<Events extends Record<keyof Events, unknown[]>> {
  on<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): this;
  once<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): this;
  off<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): this;
  /** The same as `off`. */
  removeListener<Name extends keyof Events>(
    name: Name,
    listener: (...args: Events[Name]) => void,
  ): this;
}

// deno-lint-ignore no-explicit-any
type Listener = (...args: any[]) => void;

/**
 * Calls listeners in order. What a listener throws goes to `report`, and the next one is called.
 */
export class Listeners<Events extends Record<keyof Events, unknown[]>> implements Emitter<Events> {
  readonly #byName = new Map<keyof Events, { listener: Listener; once: boolean }[]>();
  readonly #report: (error: unknown, event: keyof Events) => void;

  constructor(report: (error: unknown, event: keyof Events) => void) {
    this.#report = report;
  }

  on<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): this {
    return this.#add(name, listener, false);
  }

  once<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): this {
    return this.#add(name, listener, true);
  }

  off<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): this {
    const entries = this.#byName.get(name);
    const at = entries?.findIndex((entry) => entry.listener === listener) ?? -1;
    // A new array: an emit that is running continues with the old one.
    if (at >= 0) this.#byName.set(name, entries!.toSpliced(at, 1));
    return this;
  }

  removeListener<Name extends keyof Events>(
    name: Name,
    listener: (...args: Events[Name]) => void,
  ): this {
    return this.off(name, listener);
  }

  protected emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const { listener, once } of this.#byName.get(name) ?? []) {
      if (once) this.off(name, listener);
      try {
        listener(...args);
      } catch (error) {
        this.#report(error, name);
      }
    }
  }

  protected removeAllListeners(): void {
    this.#byName.clear();
  }

  #add(name: keyof Events, listener: Listener, once: boolean): this {
    this.#byName.set(name, [...this.#byName.get(name) ?? [], { listener, once }]);
    return this;
  }
}
