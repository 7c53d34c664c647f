/** Several nodes of one installation: servers on one Postgres database that share a broker. */
import { makeDatabase, startServer, type TestServer } from "./server.ts";
import { REDIS_URL, testWith } from "./services.ts";

export type BrokerName = "channel" | "redis" | "postgres";

/** Settings that nodes on one database have in common. */
export function sharedSettings(broker: BrokerName, databaseUrl: string): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    DATABASE_POOL: "4",
    JWT_SECRET: "the same secret on every node of a test",
    BROKER: broker,
    ...(broker === "redis" ? { REDIS_URL } : {}),
    PRESENCE_GRACE_MS: "300",
  };
}

/**
 * The same behaviour with each broker, on `count` nodes that are closed after. What a broker has to
 * keep is in broker_contract_test.ts, so not everything has to run with all of them.
 */
export function onNodes(
  name: string,
  fn: (nodes: [TestServer, TestServer, ...TestServer[]], t: Deno.TestContext) => Promise<void>,
  env: Record<string, string> = {},
  count = 2,
  brokers: readonly BrokerName[] = ["channel", "redis"],
): void {
  for (const broker of brokers) {
    const services = broker === "redis" ? ["postgres", "redis"] as const : ["postgres"] as const;
    testWith([...services], `${name} [${broker}]`, async (t) => {
      const database = await makeDatabase();
      const nodes: TestServer[] = [];
      try {
        for (let i = 0; i < count; i++) {
          const settings = { ...sharedSettings(broker, database.url), ...env };
          nodes.push(await startServer("pglite", settings));
        }
        await fn(nodes as [TestServer, TestServer], t);
        const errors = nodes.flatMap((node) => node.errors);
        if (errors.length > 0) throw errors[0];
      } finally {
        for (const node of nodes) await node.close();
        await database.drop();
      }
    });
  }
}
