/**
 * Services that a test may need and this machine may not have. A test that needs a missing one is
 * skipped and says why in its name, unless PARLEY_TEST_REQUIRE_ALL=1 forbids skipping.
 */
import pg from "pg";

export const requireAll = Deno.env.get("PARLEY_TEST_REQUIRE_ALL") === "1";

/** Where tests may make and drop databases of their own. */
export const POSTGRES_URL = Deno.env.get("PARLEY_TEST_POSTGRES_URL") ??
  "postgres://postgres@127.0.0.1:5432/postgres";

/** Where tests may publish; each under a name of its own. */
export const REDIS_URL = Deno.env.get("PARLEY_TEST_REDIS_URL") ?? "redis://127.0.0.1:6379";

/** Without the window of the whole browser, where it is installed: that takes a third of the time. */
export const CHROMIUM = Deno.env.get("PARLEY_TEST_CHROMIUM") ??
  ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find(isFile) ?? "/usr/bin/chromium";

/** For servers that a test starts, breaks and ends itself. */
export const REDIS_SERVER = Deno.env.get("PARLEY_TEST_REDIS_SERVER") ?? "/usr/bin/redis-server";

/** The folder of initdb and pg_ctl; null where they are not installed. */
export const POSTGRES_BIN = Deno.env.get("PARLEY_TEST_POSTGRES_BIN") ?? newestPostgres();

function newestPostgres(): string | null {
  const home = "/usr/lib/postgresql";
  try {
    const versions = [...Deno.readDirSync(home)].map(({ name }) => Number(name));
    const newest = Math.max(...versions.filter((version) => version > 0));
    return newest > 0 ? `${home}/${newest}/bin` : null;
  } catch {
    return null;
  }
}

async function postgresAnswers(): Promise<boolean> {
  const client = new pg.Client({ connectionString: POSTGRES_URL, connectionTimeoutMillis: 15_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

async function redisAnswers(): Promise<boolean> {
  const { hostname, port } = new URL(REDIS_URL);
  try {
    (await Deno.connect({ hostname, port: Number(port || 6379) })).close();
    return true;
  } catch {
    return false;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

async function nginxRuns(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("nginx", { args: ["-v"], stderr: "null" }).output();
    return success;
  } catch {
    return false;
  }
}

export type Service = "postgres" | "redis" | "chromium" | "redis-server" | "nginx" | "initdb";

const present: Record<Service, boolean> = {
  postgres: await postgresAnswers(),
  redis: await redisAnswers(),
  chromium: isFile(CHROMIUM),
  "redis-server": isFile(REDIS_SERVER),
  initdb: POSTGRES_BIN !== null && isFile(`${POSTGRES_BIN}/initdb`),
  nginx: await nginxRuns(),
};

export const isPresent = (service: Service): boolean => present[service];

/**
 * A test that needs services: skipped by name where one is missing.
 *
 * @param leaks why it leaves timers or sockets behind; others fail for it.
 */
export function testWith(
  services: Service[],
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
  { leaks }: { leaks?: string } = {},
): void {
  const missing = services.filter((service) => !present[service]);
  if (missing.length === 0) {
    const clean = leaks === undefined ? {} : { sanitizeOps: false, sanitizeResources: false };
    Deno.test({ name, ...clean, fn });
  } else if (requireAll) {
    Deno.test(name, () => {
      throw new Error(`Cannot run "${name}": ${missing.join(" and ")} must be there`);
    });
  } else {
    Deno.test.ignore(`${name} (skipped: no ${missing.join(", no ")})`, fn);
  }
}
