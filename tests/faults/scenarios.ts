/** What is done to the servers, and for how long. */
import type { Member } from "./crew.ts";
import { canMount, type Disk, mountDisk } from "./disk.ts";
import { type Group, openGroup } from "./group.ts";
import { startPostgresServer } from "./postgres_server.ts";
import type { ServerProcess } from "./server_process.ts";
import type { Scenario, Stage } from "./stage.ts";
import { type Lines, untilServed } from "./watch.ts";

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The length of a cause: the real one, or the one for the suite. */
const lasting = ({ size }: Stage, long: number, short: number) =>
  later(size === "long" ? long : short);

const NONE: Lines = [0, 0];
const ONE: Lines = [1, 1];
/** What is over at once may not be noticed as an outage. */
const SOME: Lines = [0, 1];
const always = (expected: Lines) => () => expected;
const three = (stage: Stage) => [stage.three];

const NODES = `backend_type = 'client backend' and datname like 'parley%'`;
const terminate = ({ postgres }: Stage, which = NODES) =>
  postgres.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${which}`);

/** Everybody but those whom it cannot spare is served while it lasts. */
async function servedMeanwhile(
  group: Group,
  spared: (member: Member) => boolean,
  ms: number,
): Promise<string[]> {
  const members = group.members.filter(spared);
  try {
    await untilServed({ ...group, members }, Date.now(), ms);
    return [];
  } catch (error) {
    return [`${group.name}: meanwhile ${(error as Error).message}`];
  }
}

/** Half of the people lose their connection as well, and come again while it lasts. */
function cutAgents({ one, three }: Stage): void {
  for (const member of [...one.members, ...three.members]) {
    if (member.seat.role === "agent") member.cut();
  }
}

/** The local ports of a process's TCP connections. */
function portsOf(pid: number): Set<number> {
  const inodes = new Set<string>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(Deno.readLinkSync(`/proc/${pid}/fd/${name}`))?.[1];
      if (inode !== undefined) inodes.add(inode);
    } catch {
      // Closed meanwhile.
    }
  }
  const ports = new Set<number>();
  for (const line of Deno.readTextFileSync("/proc/net/tcp").split("\n").slice(1)) {
    const [, local, , , , , , , , inode] = line.trim().split(/\s+/);
    if (local !== undefined && inodes.has(inode!)) ports.add(parseInt(local.split(":")[1]!, 16));
  }
  return ports;
}

/** Freezes the node at a moment at which it is in a transaction. @returns whether one was found */
async function freezeInTransaction(stage: Stage, node: ServerProcess): Promise<boolean> {
  const { postgres } = stage;
  for (let tries = 0; tries < 400; tries++) {
    node.signal("SIGSTOP");
    await later(20);
    const ports = [...portsOf(node.pid)];
    const rows = await postgres.query(`select pid from pg_stat_activity where
      state = 'idle in transaction' and client_port in (${ports.join(",")})`);
    if (rows.length > 0) return true;
    node.signal("SIGCONT");
    await later(7);
  }
  return false;
}

export const SCENARIOS: Scenario[] = [
  {
    name: "all connections to Postgres ended",
    logs: always(SOME),
    async run(stage) {
      await terminate(stage);
      return [];
    },
  },
  {
    name: "one backend of Postgres killed",
    logs: always(SOME),
    async run({ postgres }) {
      const [backend] = await postgres.query<{ pid: number }>(
        `select pid from pg_stat_activity where ${NODES} limit 1`,
      );
      Deno.kill(backend!.pid, "SIGKILL");
      return [];
    },
  },
  {
    name: "Postgres restarted (fast)",
    logs: always(SOME),
    async run({ postgres }) {
      await postgres.stop("fast");
      await postgres.start();
      return [];
    },
  },
  {
    name: "Postgres restarted (immediate)",
    logs: always(SOME),
    async run({ postgres }) {
      await postgres.stop("immediate");
      await postgres.start();
      return [];
    },
  },
  {
    name: "Postgres stopped for 20 s",
    logs: always(ONE),
    async run(stage) {
      await stage.postgres.stop("fast");
      cutAgents(stage);
      await lasting(stage, 20_000, 2_500);
      await stage.postgres.start();
      return [];
    },
  },
  {
    name: "Postgres frozen for 20 s",
    logs: always(ONE),
    async run(stage) {
      stage.postgres.freeze();
      cutAgents(stage);
      await lasting(stage, 20_000, 4_000);
      stage.postgres.thaw();
      return [];
    },
  },
  {
    name: "a row locked for 15 s",
    logs: always(NONE),
    async run(stage) {
      const locks = await Promise.all([stage.one, stage.three].map(async (group) => {
        const [conversationId] = group.conversations;
        const client = await stage.postgres.connect(stage.databaseOf(group));
        await client.query("begin");
        await client.query("select 1 from conversations where id = $1 for update", [
          conversationId,
        ]);
        return { group, client, conversationId: conversationId! };
      }));
      try {
        const end = lasting(stage, 15_000, 3_000);
        const wrong = await Promise.all(
          locks.map(({ group, conversationId }) =>
            servedMeanwhile(group, ({ seat }) => seat.conversationId !== conversationId, 15_000)
          ),
        );
        await end;
        return wrong.flat();
      } finally {
        for (const { client } of locks) await client.end();
      }
    },
  },
  {
    name: "a node frozen within a transaction for 15 s",
    groups: three,
    logs: always(SOME),
    async run(stage) {
      const { three: group } = stage;
      const node = group.nodes[1]!;
      group.excused.add(node);
      try {
        if (!await freezeInTransaction(stage, node)) return ["it was never in a transaction"];
        const end = lasting(stage, 15_000, 4_000);
        const wrong = await servedMeanwhile(group, ({ seat }) => seat.url !== node.url, 15_000);
        await end;
        return wrong;
      } finally {
        node.signal("SIGCONT");
        // The question that was asked while it was frozen is answered late.
        await later(1000);
        group.excused.delete(node);
      }
    },
  },
  {
    name: "Postgres read-only",
    logs: always(ONE),
    async run(stage) {
      const { postgres } = stage;
      const names = [stage.one, stage.three].map(stage.databaseOf);
      const set = async (value: string) => {
        for (const name of names) {
          await postgres.query(
            `alter database ${name} set default_transaction_read_only = ${value}`,
          );
        }
        await terminate(stage);
      };
      await set("on");
      await lasting(stage, 8_000, 2_000);
      await set("off");
      return [];
    },
  },
  {
    name: "no connection to Postgres free",
    // They lose what they had, and then find no other.
    logs: always([0, 2]),
    async run(stage) {
      const { postgres } = stage;
      const first = await postgres.connect();
      const clients = [first];
      /** Takes what is free; superusers have a few more than others, and these are. */
      const take = async () => {
        for (;;) {
          const client = await postgres.connect().catch(() => null);
          if (client === null) return;
          clients.push(client);
        }
      };
      try {
        await take();
        await first.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${NODES}`);
        const end = lasting(stage, 8_000, 2_000);
        // What the nodes had is taken before they come back.
        await take();
        await end;
      } finally {
        await Promise.all(clients.map((client) => client.end()));
      }
      return [];
    },
  },
  {
    name: "Redis frozen for 9 s",
    logs: (group, stage) => group === stage.one ? NONE : stage.size === "long" ? ONE : SOME,
    async run(stage) {
      stage.redis.freeze();
      cutAgents(stage);
      await lasting(stage, 9_000, 3_000);
      stage.redis.thaw();
      return [];
    },
  },
  {
    name: "connections to Redis ended ten times",
    groups: three,
    logs: always(ONE),
    async run(stage) {
      for (let i = 0; i < 10; i++) {
        await stage.redis.command("CLIENT", "KILL", "TYPE", "pubsub");
        await stage.redis.command("CLIENT", "KILL", "TYPE", "normal");
        await lasting(stage, 300, 100);
      }
      return [];
    },
  },
  {
    name: "Redis restarted",
    groups: three,
    logs: always(ONE),
    async run(stage) {
      await stage.redis.stop();
      await lasting(stage, 2_000, 500);
      await stage.redis.start();
      return [];
    },
  },
  {
    name: "the way to Redis cut",
    groups: three,
    logs: always(ONE),
    async run(stage) {
      stage.redisWay.shut();
      await lasting(stage, 8_000, 1_500);
      stage.redisWay.open();
      return [];
    },
  },
  {
    name: "a full disk under Postgres",
    logs: always(SOME),
    longOnly: true,
    unable: () => canMount() ? null : "file systems cannot be mounted here",
    async open({ common }) {
      disk = await mountDisk(common.reaper, 2 * DISK_MIB);
      const postgres = await startPostgresServer(common.reaper, disk.dir);
      await postgres.query("create database parley_full");
      return await openGroup({
        ...common,
        name: "Postgres, 1 node",
        nodes: 1,
        env: { ...common.env, DATABASE_URL: postgres.urlOf("parley_full") },
        async end() {
          await postgres.close();
          await disk!.close();
        },
      });
    },
    async run(stage) {
      await disk!.fill();
      await lasting(stage, 8_000, 2_000);
      await disk!.empty();
      return [];
    },
  },
  {
    name: "a full disk under the embedded database",
    logs: always(ONE),
    longOnly: true,
    unable: () => canMount() ? null : "file systems cannot be mounted here",
    async open({ common }) {
      disk = await mountDisk(common.reaper, 2 * DISK_MIB);
      return await openGroup({
        ...common,
        name: "embedded, 1 node",
        nodes: 1,
        env: { ...common.env, DATA_DIR: disk.dir, MIN_FREE_DISK_BYTES: "32000000" },
        end: () => disk!.close(),
      });
    },
    async run(stage) {
      await disk!.fill();
      await lasting(stage, 8_000, 2_000);
      await disk!.empty();
      return [];
    },
  },
  {
    name: "every descriptor taken by silent connections",
    logs: always(ONE),
    logMs: 20_000,
    longOnly: true,
    async open({ common, postgres }) {
      await postgres.query("create database parley_descriptors");
      return await openGroup({
        ...common,
        name: "Postgres, 1 node",
        nodes: 1,
        openFiles: 256,
        env: { ...common.env, DATABASE_URL: postgres.urlOf("parley_descriptors") },
      });
    },
    async run(stage, group) {
      const [node] = group.nodes;
      const silent: Deno.Conn[] = [];
      // As long as there is no answer none can be asked for either: the sockets are what must go on.
      group.excused.add(node!);
      try {
        const { hostname, port } = new URL(node!.url);
        for (let i = 0; i < 300; i++) {
          const opened = await Deno.connect({ hostname, port: Number(port) }).catch(() => null);
          if (opened !== null) silent.push(opened);
        }
        const end = lasting(stage, 8_000, 2_000);
        const wrong = await servedMeanwhile(
          group,
          // Who polls needs a new connection now and then.
          ({ kind }) => kind.name !== "Socket.IO polling",
          8_000,
        );
        await end;
        return wrong;
      } finally {
        for (const connection of silent) connection.close();
        group.excused.delete(node!);
      }
    },
  },
];

const DISK_MIB = 160;
let disk: Disk | null = null;
