/** Postgres brokers of one test file: they share a database, and each has connections of its own. */
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { ALWAYS_UP } from "../../db/availability.ts";
import { createBrokerLog } from "../../db/broker_log.ts";
import { listenOnServer } from "../../db/listen.ts";
import type { Database } from "../../db/types.ts";
import type { Broker } from "../../realtime/broker.ts";
import {
  createPostgresBroker,
  type PostgresBrokerOptions,
} from "../../realtime/broker_postgres.ts";

export interface OpenBroker extends Omit<PostgresBrokerOptions, "log"> {
  url: string;
  /** Where it listens; default `url`. */
  listenUrl?: string;
  /** Of the installation. */
  name: string;
}

const INT8 = 20;

export async function openPostgresBroker(options: OpenBroker): Promise<Broker> {
  const { url, listenUrl = url, name, ...rest } = options;
  const pool = new pg.Pool({ connectionString: url, max: 2, connectionTimeoutMillis: 2000 });
  pg.types.setTypeParser(INT8, Number);
  pool.on("error", () => {});
  pool.on("connect", (client) => void client.on("error", () => {}));
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  const listen = listenOnServer(listenUrl, {
    timeouts: { connect: 2000, query: 5000, keepAlive: 10_000 },
    availability: ALWAYS_UP,
  });
  const log = createBrokerLog({ db, listen, installation: name, node: rest.node });
  try {
    return await createPostgresBroker({ log, ...rest });
  } catch (error) {
    await db.destroy();
    throw error;
  }
}
