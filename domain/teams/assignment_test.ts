/** Who gets the conversations of a team, with two nodes that decide at the same time. */
import assert from "node:assert/strict";
import { type Db, openDatabase } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { poll } from "../../tests/support/deadline.ts";
import { type EngineName, makeDatabase } from "../../tests/support/server.ts";
import { testWith } from "../../tests/support/services.ts";
import { makeDataDir } from "../../tests/support/template.ts";
import { SYSTEM } from "../conversations/unit_of_work.ts";
import { createWriter, type Writer } from "../conversations/writer.ts";
import { createEventBus } from "../events.ts";
import { DEFAULT_QUEUE } from "../../protocol/queue.ts";
import type { TeamAssignment } from "../../protocol/teams.ts";
import { type Assignment, createAssignment } from "./assignment.ts";
import { createTeam, updateTeam } from "./teams.ts";

interface Node {
  writer: Writer;
  assignment: Assignment;
}

interface Parts {
  db: Db;
  nodes: [Node, Node];
  /** By user: since when they are absent; all others are here. */
  absent: Map<string, number>;
  user(name: string): Promise<string>;
  team(assignment: TeamAssignment, memberIds: string[], capacity?: number): Promise<string>;
  /** A conversation of the team in which a contact has waited for so many minutes. */
  waiting(teamId: string | null, minutes?: number): Promise<string>;
  /** The conversations of each of these users, and of nobody (""). */
  loads(): Promise<Record<string, number>>;
}

function onEngines(name: string, fn: (parts: Parts) => Promise<void>): void {
  for (const engine of ["pglite", "postgres"] as EngineName[]) {
    testWith(engine === "postgres" ? ["postgres"] : [], `${name} [${engine}]`, async () => {
      const dataDir = await makeDataDir();
      const made = engine === "postgres" ? await makeDatabase() : null;
      const { db, epoch, close } = await openDatabase({ url: made?.url, dataDir, pool: 8 });
      const absent = new Map<string, number>();
      const fail = (error: unknown) => void errors.push(error);
      const errors: unknown[] = [];
      const node = (): Node => {
        const bus = createEventBus(fail);
        const writer = createWriter({ db, bus, epoch, maxPending: 10_000, maxRunning: 3 });
        const assignment = createAssignment({
          db,
          bus,
          writer,
          queueSettings: {
            current: () => Promise.resolve({ ...DEFAULT_QUEUE, handBackAfterMinutes: 10 }),
          },
          absenceOf: (id) => absent.has(id) ? { since: absent.get(id)! } : null,
          onError: fail,
        });
        return { writer, assignment };
      };
      const nodes: [Node, Node] = [node(), node()];
      try {
        await fn({
          db,
          nodes,
          absent,
          async user(name) {
            const id = uuidv7();
            const email = `${id}@example.com`;
            await db.insertInto("users").values({
              id,
              email,
              name,
              password_hash: "",
              role: "agent",
            }).execute();
            return id;
          },
          team: async (assignment, memberIds, capacity) =>
            (await createTeam(db, { name: uuidv7(), assignment, memberIds, capacity })).id,
          async waiting(teamId, minutes = 1) {
            const [id, contact_id] = [uuidv7(), uuidv7()];
            await db.insertInto("contacts").values({ id: contact_id, name: "Vi" }).execute();
            const waiting_since = new Date(Date.now() - minutes * 60_000);
            await db.insertInto("conversations")
              .values({ id, contact_id, team_id: teamId, waiting_since }).execute();
            return id;
          },
          async loads() {
            const rows = await db.selectFrom("conversations as c")
              .leftJoin("users as u", "u.id", "c.assignee_id").where("c.status", "=", "open")
              .select(["u.name", (eb) => eb.fn.countAll<number>().as("n")]).groupBy("u.name")
              .execute();
            return Object.fromEntries(rows.map(({ name, n }) => [name ?? "", Number(n)]));
          },
        });
        assert.deepEqual(errors, []);
      } finally {
        for (const { assignment, writer } of nodes) {
          await assignment.stop();
          await writer.idle();
        }
        await close();
        await made?.drop();
        await Deno.remove(dataDir, { recursive: true });
      }
    });
  }
}

onEngines("two nodes fill the places of a team, and what waits goes on when one is free", async (
  { db, nodes: [one, two], absent, user, team, waiting, loads },
) => {
  const [ada, bea, cara] = [await user("Ada"), await user("Bea"), await user("Cara")];
  absent.set(cara, Date.now());
  const teamId = await team("least_busy", [ada, bea, cara], 3);
  const ids: string[] = [];
  for (let i = 0; i < 10; i++) ids.push(await waiting(teamId, 10 - i));
  one.assignment.wake();
  two.assignment.wake();
  await poll(loads, (now) => now[""] === 4, "the first six");
  await Promise.all([one, two].map(({ writer }) => writer.idle()));
  assert.deepEqual(await loads(), { Ada: 3, Bea: 3, "": 4 });
  const assigned = await db.selectFrom("conversations").select("id")
    .where("assignee_id", "is not", null).orderBy("waiting_since").execute();
  assert.deepEqual(assigned.map(({ id }) => id), ids.slice(0, 6), "the longest wait first");

  // Six places on two nodes at the same moment, and each place is given once.
  await Promise.all(
    ids.slice(0, 6).map((conversationId, i) =>
      [one, two][i % 2]!.writer.write({
        kind: "status",
        conversationId,
        actor: SYSTEM,
        status: "resolved",
      })
    ),
  );
  await poll(loads, (now) => now[""] === undefined, "the rest");
  assert.deepEqual(await loads(), { Ada: 2, Bea: 2 });

  const more = await Promise.all([waiting(teamId), waiting(teamId), waiting(teamId)]);
  await Promise.all(more.map((conversationId, i) =>
    [one, two][i % 2]!.writer.write({
      kind: "auto_assign",
      conversationId,
      actor: SYSTEM,
      available: [ada, bea],
    })
  ));
  assert.deepEqual(await loads(), { Ada: 3, Bea: 3, "": 1 });
  // Somebody comes.
  absent.delete(cara);
  two.assignment.arrived();
  await poll(loads, (now) => now["Cara"] === 1, "who has come");
});

onEngines("in turn, and by hand nobody gets anything by itself", async (
  { db, nodes: [one, two], user, team, waiting, loads },
) => {
  const [ada, bea] = [await user("Ada"), await user("Bea")];
  const byHand = await team("none", [ada]);
  const teamId = await team("round_robin", [ada, bea]);
  await waiting(byHand);
  await waiting(null);
  for (let i = 0; i < 5; i++) await waiting(teamId);
  one.assignment.wake();
  two.assignment.wake();
  await poll(loads, (now) => now[""] === 2, "all of the team");
  const { Ada, Bea } = await loads();
  assert.deepEqual([Ada, Bea].sort(), [2, 3]);
  // A new member is the next after those who had their turn, and not five times in a row.
  const cara = await user("Cara");
  await updateTeam(db, teamId, { memberIds: [ada, bea, cara] }, () => {});
  for (let i = 0; i < 3; i++) await waiting(teamId);
  one.assignment.wake();
  await poll(loads, (now) => now[""] === 2, "three more");
  assert.equal((await loads())["Cara"], 1);
});

onEngines("who is away for long gives back what waits, and nothing else", async (
  { db, nodes: [one, two], absent, user, team, waiting },
) => {
  const [ada, bea] = [await user("Ada"), await user("Bea")];
  const teamId = await team("round_robin", [ada, bea]);
  const assign = async (minutes: number, to: string) => {
    const id = await waiting(teamId, minutes);
    await db.updateTable("conversations").set({ assignee_id: to }).where("id", "=", id).execute();
    return id;
  };
  const old = await assign(20, ada);
  const recent = await assign(5, ada);
  const answered = await assign(20, ada);
  await db.updateTable("conversations").set({ waiting_since: null }).where("id", "=", answered)
    .execute();
  const beas = await assign(20, bea);
  absent.set(ada, Date.now() - 5 * 60_000);
  assert.equal(await one.assignment.takeBack(), 0, "she is not away for long");
  absent.set(ada, Date.now() - 11 * 60_000);
  const taken = await Promise.all([one.assignment.takeBack(), two.assignment.takeBack()]);
  assert.equal(taken[0] + taken[1], 1);
  const owner = async (id: string) =>
    (await db.selectFrom("conversations").select("assignee_id").where("id", "=", id)
      .executeTakeFirstOrThrow()).assignee_id;
  await poll(() => owner(old), (id) => id === bea, "the colleague who is here");
  assert.deepEqual([await owner(recent), await owner(answered), await owner(beas)], [
    ada,
    ada,
    bea,
  ]);
  const lines = await db.selectFrom("chat_messages").select("content")
    .where("conversation_id", "=", old).orderBy("seq").execute();
  assert.deepEqual(lines.map(({ content }) => content), [
    "Ada is away: the conversation waits for somebody else",
    "The conversation was assigned to Bea",
  ]);
});
