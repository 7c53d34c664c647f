/** The workspace's settings of the queue, which every reply looks at. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { DEFAULT_QUEUE, QueueSettings, type UpdateQueueBody } from "../../protocol/queue.ts";

const KEY = "queue";
/** How long another node may use the settings from before a change. */
const MAX_AGE_MS = 5000;

export interface QueueSettingsStore {
  /** At most five seconds old; while the database is away the last known, or the defaults. */
  current(): Promise<QueueSettings>;
  /** As they are stored. */
  read(): Promise<QueueSettings>;
  update(changes: UpdateQueueBody): Promise<QueueSettings>;
}

export function createQueueSettings(db: Db, now = () => Date.now()): QueueSettingsStore {
  let known = DEFAULT_QUEUE;
  let readAt = -Infinity;
  let reading: Promise<QueueSettings> | null = null;

  async function read(trx: Db = db): Promise<QueueSettings> {
    const row = await trx.selectFrom("server_meta").select("value").where("key", "=", KEY)
      .executeTakeFirst();
    if (row === undefined) return DEFAULT_QUEUE;
    // A setting that is newer than the stored ones has its default.
    const parsed = QueueSettings.safeParse({ ...DEFAULT_QUEUE, ...JSON.parse(row.value) });
    return parsed.success ? parsed.data : DEFAULT_QUEUE;
  }

  function keep(settings: QueueSettings): QueueSettings {
    known = settings;
    readAt = now();
    return settings;
  }

  return {
    current() {
      if (now() - readAt < MAX_AGE_MS) return Promise.resolve(known);
      return reading ??= read().then(keep, () => known).finally(() => reading = null);
    },
    read,
    async update(changes) {
      return keep(
        await db.transaction().execute(async (trx) => {
          await sql`insert into server_meta (key, value) values (${KEY}, '{}')
            on conflict (key) do nothing`.execute(trx);
          await sql`select from server_meta where key = ${KEY} for update`.execute(trx);
          const next = { ...await read(trx), ...changes };
          await trx.updateTable("server_meta").set({ value: JSON.stringify(next) })
            .where("key", "=", KEY).execute();
          return next;
        }),
      );
    },
  };
}
