/** What is measured while something is broken: whether nodes answer, and when everybody is served. */
import type { Group } from "./group.ts";
import type { ServerProcess } from "./server_process.ts";

const EVERY_MS = 200;
/** What counts as no answer at all. */
const SILENT_MS = 15_000;

export interface LiveWatch {
  /** The longest time between two answers of a node, in milliseconds, and every answer but 200. */
  stop(): Promise<{ longestMs: number; failures: string[] }>;
}

/** Asks /live of each node all the time; those that are frozen on purpose are left out. */
export function watchLive(groups: Group[]): LiveWatch {
  let stopped = false;
  let longestMs = 0;
  const failures: string[] = [];

  async function ask(group: Group, node: ServerProcess): Promise<void> {
    while (!stopped) {
      const start = performance.now();
      const answer = await fetch(`${node.url}/live`, { signal: AbortSignal.timeout(SILENT_MS) })
        .then(async (response) => {
          await response.body?.cancel();
          return response.status;
        }, (error) => `${error}`);
      const took = performance.now() - start;
      if (!group.excused.has(node)) {
        longestMs = Math.max(longestMs, took);
        if (answer !== 200) failures.push(`${group.name}: /live answered ${answer}`);
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }

  const running = groups.flatMap((group) => group.nodes.map((node) => ask(group, node)));
  return {
    async stop() {
      stopped = true;
      await Promise.all(running);
      return { longestMs: Math.round(longestMs), failures };
    },
  };
}

/**
 * Resolves when everybody has been acknowledged a message that they began after `since`.
 *
 * @returns milliseconds from `since` to the last of them
 */
export async function untilServed(group: Group, since: number, ms: number): Promise<number> {
  let last = since;
  for (const member of group.members) {
    // The first answer may be to a message that was stored before.
    const after = () => member.acked.filter(({ at }) => at > since);
    await member.until(() => after().length >= 1, "an acknowledgement", ms);
    last = Math.max(last, after()[0]!.at);
  }
  return last - since;
}

/** A line of the log that is about a part that was away. */
const OUTAGE =
  /is not available: |takes no changes|is away|has no room|is nearly full: |are not accepted for now/;
const END = /is available again|is back|has space again|are accepted again/;

/** How many lines about an outage a node may log, at least and at most. */
export type Lines = readonly [number, number];

export interface LogWatch {
  /** Sentences about nodes of the group that said too much or too little. */
  read(group: Group, expected: Lines): string[];
}

/** What each node logs from now on. */
export function watchLogs(groups: Group[]): LogWatch {
  const begun = new Map(
    groups.flatMap(({ nodes }) => nodes.map((node) => [node, node.lines.length] as const)),
  );

  function linesOf(node: ServerProcess): { outages: string[]; ends: string[]; others: string[] } {
    const lines = node.lines.slice(begun.get(node));
    const outages = lines.filter((line) => OUTAGE.test(line));
    return {
      outages,
      ends: lines.filter((line) => END.test(line)),
      others: lines.filter((line) =>
        /"level":"(ERROR|FATAL)"/.test(line) && !outages.includes(line) ||
        /^\s+at |^error:|Uncaught/.test(line)
      ),
    };
  }

  return {
    read({ name, nodes }, [least, most]) {
      const wrong: string[] = [];
      for (const node of nodes) {
        const { outages, ends, others } = linesOf(node);
        const count = outages.length;
        if (others.length > 0) {
          wrong.push(`${name}: ${others.length} other errors, such as ${others[0]}`);
        }
        if (count !== ends.length) {
          wrong.push(`${name}: ${count} outages and ${ends.length} ends in the log`);
        }
        if (count < least || count > most) {
          wrong.push(`${name}: ${count} lines for an outage: ${outages.slice(0, 3).join(" ")}`);
        }
      }
      return wrong;
    },
  };
}
