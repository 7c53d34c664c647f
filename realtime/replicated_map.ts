/**
 * A map that all nodes share. Each node publishes its own entries, and each knows all of them. An
 * entry exists while any node has it. Of two values for one key the later change wins on every
 * node.
 */
import type { Nodes } from "./nodes.ts";

export interface ReplicatedMap<T> {
  /** This node has the entry from now on. If another node has it already, its value stays. */
  add(key: string, value: T): void;
  /** This node does not have the entry any more. */
  remove(key: string): void;
  /** Changes an entry, whichever node has it. */
  update(key: string, change: (value: T) => T): void;
  get(key: string): T | undefined;
  /** In the order in which they were added. */
  values(): IterableIterator<T>;
  readonly size: number;
  /** How many entries this node has itself. */
  readonly localSize: number;
}

export interface ReplicatedMapOptions<T> {
  nodes: Nodes;
  /** Different for each map of a node, and the same on all nodes. */
  name: string;
  /** These are called on every node, each at its own time. */
  onAdded: (key: string, value: T) => void;
  onChanged: (key: string, value: T) => void;
  onRemoved: (key: string, value: T) => void;
  now?: () => number;
}

interface Entry<T> {
  value: T;
  /** The time of the last change, which only grows, and the node that made it. */
  at: number;
  by: string;
  isLocal: boolean;
  /** Other nodes that have the entry. */
  remotes: Set<string> | null;
}

type Row<T> = [key: string, value: T, at: number, by: string];

/** Between nodes, also of two releases: the names of operations do not change. */
type Message<T> =
  | { op: "has"; row: Row<T> }
  | { op: "changed"; row: Row<T> }
  | { op: "left"; key: string }
  /** All entries of the node, in parts. */
  | { op: "all"; rows: Row<T>[]; first: boolean; last: boolean };

/** Rows in one message. */
const ROWS_PER_MESSAGE = 500;

export function createReplicatedMap<T>(options: ReplicatedMapOptions<T>): ReplicatedMap<T> {
  const { nodes, onAdded, onChanged, onRemoved, now = Date.now } = options;
  const kind = `roster ${options.name}`;
  const entries = new Map<string, Entry<T>>();
  /** The keys received so far from a node that is sending all its entries. */
  const receiving = new Map<string, Set<string>>();
  let localSize = 0;

  const publish = (message: Message<T>, to?: string) => nodes.publish(kind, message, to);

  function addRemote(node: string, row: Row<T>): void {
    const [key, value, at, by] = row;
    const entry = entries.get(key);
    if (entry === undefined) {
      entries.set(key, { value, at, by, isLocal: false, remotes: new Set([node]) });
      onAdded(key, value);
      return;
    }
    (entry.remotes ??= new Set()).add(node);
    merge(entry, row);
  }

  function merge(entry: Entry<T>, [key, value, at, by]: Row<T>): void {
    if (at < entry.at || (at === entry.at && by <= entry.by)) return;
    entry.value = value;
    entry.at = at;
    entry.by = by;
    onChanged(key, value);
  }

  function removeRemote(node: string, key: string): void {
    const entry = entries.get(key);
    if (entry?.remotes?.delete(node) === true) discardIfUnused(key, entry);
  }

  function discardIfUnused(key: string, entry: Entry<T>): void {
    if (entry.isLocal || (entry.remotes !== null && entry.remotes.size > 0)) return;
    entries.delete(key);
    onRemoved(key, entry.value);
  }

  function sendAll(node: string): void {
    const rows: Row<T>[] = [];
    for (const [key, { isLocal, value, at, by }] of entries) {
      if (isLocal) rows.push([key, value, at, by]);
    }
    for (let i = 0; i === 0 || i < rows.length; i += ROWS_PER_MESSAGE) {
      const end = i + ROWS_PER_MESSAGE;
      const part = { rows: rows.slice(i, end), first: i === 0, last: end >= rows.length };
      publish({ op: "all", ...part }, node);
    }
  }

  function receiveAll(node: string, rows: Row<T>[], first: boolean, last: boolean): void {
    const keys = first ? new Set<string>() : receiving.get(node) ?? new Set();
    receiving.set(node, keys);
    for (const row of rows) {
      keys.add(row[0]);
      addRemote(node, row);
    }
    if (!last) return;
    receiving.delete(node);
    for (const [key, { remotes }] of entries) {
      if (remotes?.has(node) === true && !keys.has(key)) removeRemote(node, key);
    }
  }

  nodes.subscribe(kind, (data, from) => {
    const message = data as Message<T>;
    if (message.op === "has") addRemote(from, message.row);
    else if (message.op === "left") removeRemote(from, message.key);
    else if (message.op === "all") receiveAll(from, message.rows, message.first, message.last);
    else {
      const entry = entries.get(message.row[0]);
      if (entry !== undefined) merge(entry, message.row);
    }
  });
  nodes.onHello(sendAll);
  nodes.onGone((node) => {
    receiving.delete(node);
    for (const [key, { remotes }] of entries) {
      if (remotes?.has(node) === true) removeRemote(node, key);
    }
  });

  return {
    add(key, value) {
      let entry = entries.get(key);
      if (entry?.isLocal === true) return;
      const isNew = entry === undefined;
      entry ??= { value, at: now(), by: nodes.self, isLocal: true, remotes: null };
      entry.isLocal = true;
      localSize++;
      entries.set(key, entry);
      publish({ op: "has", row: [key, entry.value, entry.at, entry.by] });
      if (isNew) onAdded(key, value);
    },
    remove(key) {
      const entry = entries.get(key);
      if (entry === undefined || !entry.isLocal) return;
      entry.isLocal = false;
      localSize--;
      publish({ op: "left", key });
      discardIfUnused(key, entry);
    },
    update(key, change) {
      const entry = entries.get(key);
      if (entry === undefined) return;
      entry.value = change(entry.value);
      entry.at = Math.max(now(), entry.at + 1);
      entry.by = nodes.self;
      publish({ op: "changed", row: [key, entry.value, entry.at, entry.by] });
      onChanged(key, entry.value);
    },
    get: (key) => entries.get(key)?.value,
    *values() {
      for (const { value } of entries.values()) yield value;
    },
    get size() {
      return entries.size;
    },
    get localSize() {
      return localSize;
    },
  };
}
