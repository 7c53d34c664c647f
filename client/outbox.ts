import type { Message } from "../protocol/model.ts";
import { ParleyClientError } from "./errors.ts";
import { createOutboxStorage, type OutboxEntry } from "./outbox_storage.ts";
import { createPendingSends } from "./pending_sends.ts";
import type { ClientStorage, OutgoingMessage } from "./types.ts";

export interface OutboxOptions {
  storage: ClientStorage | undefined;
  storageKey: string;
  maxEntries: number;
  /** Sends one entry; resolves with the stored message, rejects with a ParleyClientError. */
  transmit: (entry: OutboxEntry) => Promise<Message>;
  ready: () => boolean;
  /** The agent who is signed in; undefined for a visitor, and while it is unknown. */
  owner: () => string | undefined;
  sent: (message: Message) => void;
  changed: () => void;
}

/** 128 random bits in hex. Unlike crypto.randomUUID it also works on pages without TLS. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The queue of written messages: sent by `createPendingSends`, kept until the server has
 * acknowledged them, bounded, and stored where a storage is given. The server identifies an entry
 * by its clientMessageId, so sending twice is harmless.
 */
export function createOutbox(options: OutboxOptions) {
  const store = createOutboxStorage(options.storage, options.storageKey);
  const promises = new Map<string, PromiseWithResolvers<Message>>();
  let entries: OutboxEntry[] = store.load().slice(0, options.maxEntries);
  let lastOrder = 0;

  const find = (id: string) => entries.find((entry) => entry.clientMessageId === id);
  const mine = (entry: OutboxEntry) => !entry.owner || entry.owner === options.owner();

  function update(entry: OutboxEntry, change: Partial<OutboxEntry>) {
    const next = { ...entry, ...change };
    entries = entries.map((one) => one === entry ? next : one);
    store.save(next);
    options.changed();
  }
  function remove(id: string) {
    entries = entries.filter((entry) => entry.clientMessageId !== id);
    store.remove(id);
  }
  function complete(id: string, outcome: Message | ParleyClientError) {
    const promise = promises.get(id);
    promises.delete(id);
    if (outcome instanceof ParleyClientError) promise?.reject(outcome);
    else promise?.resolve(outcome);
  }

  const { run, stop } = createPendingSends<OutboxEntry>({
    ready: options.ready,
    next: () => entries.find((one) => one.state === "sending" && mine(one)),
    async send(entry) {
      const message = await options.transmit(entry);
      remove(entry.clientMessageId);
      options.sent(message);
      options.changed();
      complete(entry.clientMessageId, message);
    },
    refused({ clientMessageId }, error) {
      const current = find(clientMessageId);
      if (current !== undefined) update(current, { state: "failed", error: error.message });
      complete(clientMessageId, error);
    },
  });

  return {
    /** This person's entries, oldest first. */
    list: (): OutboxEntry[] => entries.filter(mine),

    /**
     * Resolves when the server has stored it. The same clientMessageId again returns the same
     * promise.
     */
    add(message: OutgoingMessage): Promise<Message> {
      const id = message.clientMessageId ?? newId();
      const known = promises.get(id);
      if (known !== undefined) return known.promise;
      const promise = Promise.withResolvers<Message>();
      // A caller that ignores the promise sees the message's state in the thread.
      promise.promise.catch(() => {});
      if (find(id) === undefined) {
        if (entries.length >= options.maxEntries) {
          promise.reject(
            new ParleyClientError(
              "outbox_full",
              `Cannot send: ${entries.length} messages wait already`,
              { limit: "maxOutbox" },
            ),
          );
          return promise.promise;
        }
        lastOrder = Math.max(Date.now(), lastOrder + 1);
        const entry: OutboxEntry = {
          ...message,
          clientMessageId: id,
          isPrivate: !!message.isPrivate,
          createdAt: new Date().toISOString(),
          state: "sending",
          order: lastOrder,
          owner: options.owner(),
        };
        entries = [...entries, entry];
        store.save(entry);
        options.changed();
      }
      promises.set(id, promise);
      void run();
      return promise.promise;
    },

    retry(id: string) {
      const entry = find(id);
      if (entry?.state !== "failed") return;
      update(entry, { state: "sending", error: undefined });
      void run();
    },

    discard(id: string) {
      if (find(id) === undefined) return;
      remove(id);
      options.changed();
      complete(id, new ParleyClientError("discarded", "Cannot send: it was discarded"));
    },

    run,
    stop,
  };
}

export type Outbox = ReturnType<typeof createOutbox>;
