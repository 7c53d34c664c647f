/**
 * A randomised test of the promises: people write, edit and leave while connections break in every
 * way, the server is killed, and the database and Redis end connections, restart and stand still; in
 * the end everybody agrees with the server, and nothing that was
 * acknowledged is missing or there twice.
 *
 * PARLEY_MODEL_SEED repeats a run, PARLEY_MODEL_SECONDS (10) makes it longer.
 */
import assert from "node:assert/strict";
import { startFaultProxy } from "./faults/fault_proxy.ts";
import { eventually } from "./faults/health.ts";
import { act, type World } from "./faults/model_actions.ts";
import { checkHistory, checkLog, checkScreens, checkScreensAgainst } from "./faults/model_check.ts";
import { createCast } from "./faults/model_people.ts";
import { createRandom } from "./faults/random.ts";
import { embedded, ownServers, type Services } from "./faults/model_services.ts";
import { UNLIMITED } from "./faults/server_process.ts";
import { testWith } from "./support/services.ts";

const SECONDS = Number(Deno.env.get("PARLEY_MODEL_SECONDS") ?? 10);
const SEED = Number(Deno.env.get("PARLEY_MODEL_SEED") ?? Math.floor(Math.random() * 2 ** 31));
const VISITORS = 4;
/** Seconds between two deaths of the server. */
const SERVER_LIVES = [2, 4] as const;
/** Milliseconds between two disturbances of the database or Redis. */
const QUIET_MS = [300, 2_000] as const;
/** Milliseconds in which everybody has to be back after the last fault. */
const RECOVERY_MS = 30_000;

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const ENV = {
  ...UNLIMITED,
  HEARTBEAT_MS: "1000",
  PRESENCE_GRACE_MS: "300",
  DRAIN_MS: "200",
  // Small, so that both ways of recovery happen.
  MAX_REPLAY_EVENTS: "25",
};

/** One disturbance after the other, until `over`. */
async function disturb({ random, counts }: World, services: Services, over: () => boolean) {
  while (!over()) {
    await later(random.int(...QUIET_MS));
    const move = await services.disturb(random);
    if (move === null) return;
    counts[move] = (counts[move] ?? 0) + 1;
  }
}

async function run(world: World, services: Services): Promise<void> {
  const { random, server } = world;
  const end = Date.now() + SECONDS * 1000;
  const life = () => random.int(SERVER_LIVES[0] * 1000, SERVER_LIVES[1] * 1000);
  let death = Date.now() + life();
  let restart = Promise.resolve();
  const disturbing = disturb(world, services, () => Date.now() > end);
  for (let step = 1; Date.now() < end; step++) {
    act(world);
    if (step % 10 === 0) checkScreens(world.cast);
    if (Date.now() > death) {
      death = Infinity;
      const signal = random.pick(["SIGKILL", "SIGTERM"] as const);
      world.counts[signal] = (world.counts[signal] ?? 0) + 1;
      restart = server.kill(signal).then(() => server.start()).then(() => {
        death = Date.now() + life();
      });
    }
    await later(random.int(2, 30));
  }
  await Promise.all([restart, disturbing]);
}

/** Nothing new breaks: everybody comes back by themselves and gets rid of what they wrote. */
async function settle({ cast, stranded, background }: World): Promise<void> {
  await Promise.all([...stranded].map((link) => link.release()));
  const waiting = () =>
    cast.everybody.flatMap((person) => {
      const { state } = person.client;
      const pending = person.client.pending();
      const closed = person.mine.filter((id) => person.store(id).snapshot.status !== "ready");
      if (state === "connected" && pending.length + closed.length === 0) return [];
      return [`${person.name}: ${state}, ${JSON.stringify(pending)}, not ready: ${closed}`];
    });
  assert.deepEqual(await eventually(waiting, (who) => who.length === 0, RECOVERY_MS), []);
  await Promise.all(background);
}

async function whatGoesWrong(work: () => Promise<void>): Promise<unknown> {
  try {
    await work();
    return null;
  } catch (error) {
    return error;
  }
}

for (const engine of ["pglite", "postgres"] as const) {
  testWith(
    engine === "postgres" ? ["initdb", "redis-server"] : [],
    `whatever breaks, everybody ends up with every acknowledged message once [${engine}]`,
    async () => {
      const services = await (engine === "postgres" ? ownServers(ENV) : embedded(ENV));
      const { server } = services;
      const proxy = await startFaultProxy(server.url);
      const cast = await createCast(server, proxy.url, VISITORS);
      const world: World = {
        cast,
        random: createRandom(SEED),
        proxy,
        server,
        counts: {},
        stranded: new Set(),
        background: new Set(),
        violations: [],
      };
      try {
        await run(world, services);
        await settle(world);
        const wrong = await eventually(
          () => whatGoesWrong(() => checkScreensAgainst(server, cast)),
          (error) => error === null,
          RECOVERY_MS,
        );
        if (wrong !== null) throw wrong;
        await checkHistory(server, cast);
        await server.kill("SIGTERM");
        await server.start({ MAX_REPLAY_EVENTS: "10000" });
        await checkLog(server, cast);
        checkScreens(cast);
        assert.deepEqual(world.violations, []);
        for (const { name, violations } of cast.everybody) assert.deepEqual(violations, [], name);
        assert.ok(cast.everybody.every(({ sent }) => sent.some(({ message }) => message !== null)));
      } catch (error) {
        console.error(`Repeat with PARLEY_MODEL_SEED=${SEED}`, world.counts);
        throw error;
      } finally {
        for (const { client } of cast.everybody) client.close();
        await proxy.close();
        await services.close();
      }
    },
  );
}
