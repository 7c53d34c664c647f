/**
 * How the embedded engine dies. Postgres ends its process when it cannot go on, and so does a fault
 * in its code, or a stack that is used up. Within this process each of them is an exception in the
 * middle of a statement, and PGlite swallows it: it goes on to feed an engine that has ended, which
 * then answers with nothing, as if all were well, or never takes what it is fed.
 */
import type { Extension } from "@electric-sql/pglite";

export interface DeathWatch {
  /** To be loaded into the engine. */
  extension: Extension;
  /** What it died of; null while it lives. */
  death(): string | null;
  /** What the engine said last before it ended, if it did; also of a start that failed. */
  lastWords(): string | null;
}

/** With this status the engine leaves a statement that failed; all is well after it. */
const STATEMENT_FAILED = 100;
/** How Postgres says in its log that it ends. */
const ENDS = /\b(?:PANIC|FATAL):\s+(.+)/;

/** What PGlite calls of the engine for each message, and what it calls after an exception. */
interface Engine {
  onRuntimeInitialized(): void;
  _PostgresMainLoopOnce(): void;
  _PostgresSendReadyForQueryIfNecessary(): void;
  _pgl_pq_flush(): void;
  stackRestore(pointer: number): void;
}

interface EngineOptions {
  preRun: ((engine: Engine) => void)[];
}

export function createDeathWatch(): DeathWatch {
  let death: Error | null = null;
  let said: string | null = null;

  /** Nobody gets into a dead engine, and the loop that feeds it ends. */
  function guard(engine: Engine): void {
    const { _PostgresMainLoopOnce: turn, stackRestore } = engine;
    // The first exception may pass: what Postgres said of it is in what was sent before.
    let passed = false;
    engine._PostgresMainLoopOnce = () => {
      if (death !== null) throw death;
      try {
        turn();
      } catch (error) {
        if ((error as { status?: unknown } | null)?.status !== STATEMENT_FAILED) {
          death = error instanceof Error ? error : new Error(String(error));
        }
        throw error;
      }
    };
    engine.stackRestore = (pointer) => {
      if (death !== null && passed) throw death;
      passed = death !== null;
      stackRestore(pointer);
    };
    for (const name of ["_PostgresSendReadyForQueryIfNecessary", "_pgl_pq_flush"] as const) {
      const call = engine[name];
      engine[name] = () => {
        if (death === null) call();
      };
    }
  }

  return {
    extension: {
      name: "death watch",
      setup(_pglite, options: EngineOptions) {
        const hook = (engine: Engine) => {
          const initialized = engine.onRuntimeInitialized;
          engine.onRuntimeInitialized = () => {
            initialized();
            guard(engine);
          };
        };
        const printErr = (line: string) => void (said = ENDS.exec(line)?.[1] ?? said);
        const preRun = [...options.preRun, hook];
        return Promise.resolve({ emscriptenOpts: { ...options, printErr, preRun } });
      },
    },
    death: () => death === null ? null : said ?? firstSentence(death),
    lastWords: () => said,
  };
}

/** The runtime adds how to find out more, for those who build the engine. */
export function firstSentence({ message }: Error): string {
  return message.split(". ")[0]!;
}
