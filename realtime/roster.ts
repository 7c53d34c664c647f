/**
 * Who is where, over all nodes: every node says what it has, and each knows the whole. Something is
 * there while any node has it. Of two values for the same key the later change holds everywhere.
 */
import type { Nodes } from "./nodes.ts";

export interface Roster<T> {
  /** This node has it from now on. Where another has it already, its value stays. */
  add(key: string, value: T): void;
  /** This node has it no longer. */
  remove(key: string): void;
  /** Changes what is there, whichever node has it. */
  change(key: string, changed: (value: T) => T): void;
  get(key: string): T | undefined;
  /** In the order of coming. */
  values(): IterableIterator<T>;
  readonly size: number;
  /** How many this node has itself. */
  readonly sizeHere: number;
}

export interface RosterOptions<T> {
  nodes: Nodes;
  /** Different for each roster of a node. */
  name: string;
  /** Told on every node, each in its own time. */
  onCame: (key: string, value: T) => void;
  onChanged: (key: string, value: T) => void;
  onGone: (key: string, value: T) => void;
  now?: () => number;
}

interface Entry<T> {
  value: T;
  /** When it got this value, which of one entry only grows, and from which node. */
  at: number;
  by: string;
  here: boolean;
  /** Other nodes that have it. */
  elsewhere: Set<string> | null;
}

type Row<T> = [key: string, value: T, at: number, by: string];

type Message<T> =
  | { op: "has"; row: Row<T> }
  | { op: "changed"; row: Row<T> }
  | { op: "left"; key: string }
  /** Everything that the node has, in parts. */
  | { op: "all"; rows: Row<T>[]; first: boolean; last: boolean };

/** Rows in one message. */
const PART = 500;

export function createRoster<T>(options: RosterOptions<T>): Roster<T> {
  const { nodes, onCame, onChanged, onGone, now = Date.now } = options;
  const kind = `roster ${options.name}`;
  const entries = new Map<string, Entry<T>>();
  /** Keys of a node that is just saying all that it has. */
  const saying = new Map<string, Set<string>>();
  let sizeHere = 0;

  const tell = (message: Message<T>, to?: string) => nodes.tell(kind, message, to);

  function has(node: string, row: Row<T>): void {
    const [key, value, at, by] = row;
    const entry = entries.get(key);
    if (entry === undefined) {
      entries.set(key, { value, at, by, here: false, elsewhere: new Set([node]) });
      onCame(key, value);
      return;
    }
    (entry.elsewhere ??= new Set()).add(node);
    take(entry, row);
  }

  function take(entry: Entry<T>, [key, value, at, by]: Row<T>): void {
    if (at < entry.at || (at === entry.at && by <= entry.by)) return;
    entry.value = value;
    entry.at = at;
    entry.by = by;
    onChanged(key, value);
  }

  function hasNot(node: string, key: string): void {
    const entry = entries.get(key);
    if (entry?.elsewhere?.delete(node) === true) discard(key, entry);
  }

  function discard(key: string, entry: Entry<T>): void {
    if (entry.here || (entry.elsewhere !== null && entry.elsewhere.size > 0)) return;
    entries.delete(key);
    onGone(key, entry.value);
  }

  function sayAll(node: string): void {
    const rows: Row<T>[] = [];
    for (const [key, { here, value, at, by }] of entries) {
      if (here) rows.push([key, value, at, by]);
    }
    for (let i = 0; i === 0 || i < rows.length; i += PART) {
      const part = { rows: rows.slice(i, i + PART), first: i === 0, last: i + PART >= rows.length };
      tell({ op: "all", ...part }, node);
    }
  }

  function hearAll(node: string, rows: Row<T>[], first: boolean, last: boolean): void {
    const keys = first ? new Set<string>() : saying.get(node) ?? new Set();
    saying.set(node, keys);
    for (const row of rows) {
      keys.add(row[0]);
      has(node, row);
    }
    if (!last) return;
    saying.delete(node);
    for (const [key, { elsewhere }] of entries) {
      if (elsewhere?.has(node) === true && !keys.has(key)) hasNot(node, key);
    }
  }

  nodes.hear(kind, (data, from) => {
    const message = data as Message<T>;
    if (message.op === "has") has(from, message.row);
    else if (message.op === "left") hasNot(from, message.key);
    else if (message.op === "all") hearAll(from, message.rows, message.first, message.last);
    else {
      const entry = entries.get(message.row[0]);
      if (entry !== undefined) take(entry, message.row);
    }
  });
  nodes.onHello(sayAll);
  nodes.onGone((node) => {
    saying.delete(node);
    for (const [key, { elsewhere }] of entries) {
      if (elsewhere?.has(node) === true) hasNot(node, key);
    }
  });

  return {
    add(key, value) {
      let entry = entries.get(key);
      if (entry?.here === true) return;
      const isNew = entry === undefined;
      entry ??= { value, at: now(), by: nodes.self, here: true, elsewhere: null };
      entry.here = true;
      sizeHere++;
      entries.set(key, entry);
      tell({ op: "has", row: [key, entry.value, entry.at, entry.by] });
      if (isNew) onCame(key, value);
    },
    remove(key) {
      const entry = entries.get(key);
      if (entry === undefined || !entry.here) return;
      entry.here = false;
      sizeHere--;
      tell({ op: "left", key });
      discard(key, entry);
    },
    change(key, changed) {
      const entry = entries.get(key);
      if (entry === undefined) return;
      entry.value = changed(entry.value);
      entry.at = Math.max(now(), entry.at + 1);
      entry.by = nodes.self;
      tell({ op: "changed", row: [key, entry.value, entry.at, entry.by] });
      onChanged(key, entry.value);
    },
    get: (key) => entries.get(key)?.value,
    *values() {
      for (const { value } of entries.values()) yield value;
    },
    get size() {
      return entries.size;
    },
    get sizeHere() {
      return sizeHere;
    },
  };
}
