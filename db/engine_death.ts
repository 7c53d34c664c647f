/**
 * Detects that the embedded engine has ended. Postgres ends its process by a PANIC, a fault in its
 * code, or a stack overflow. Within this process each of them is an exception in the middle of a
 * statement, which PGlite swallows: it continues to feed an engine that has ended, which then returns
 * empty results as if it had succeeded, or never consumes its input.
 */
import type { Extension } from "@electric-sql/pglite";

export interface DeathWatch {
  /** Has to be loaded into the engine. */
  extension: Extension;
  /** The reason of its end; null while it runs. */
  death(): string | null;
  /** The last message before it ended, also at a failed start; null without one. */
  lastWords(): string | null;
}

/** Exit status of a statement that failed, after which the engine continues. */
const STATEMENT_FAILED = 100;
/** Lines of its log by which Postgres announces its end. */
const ENDS = /\b(?:PANIC|FATAL):\s+(.+)/;

/** Functions of the engine that PGlite calls for each message, and after an exception. */
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
  let lastMessage: string | null = null;

  /** Prevents calls of an engine that has ended, and ends the loop that feeds it. */
  function guard(engine: Engine): void {
    const { _PostgresMainLoopOnce: mainLoop, stackRestore } = engine;
    // The first exception passes, so that Postgres' message about it is still read.
    let passed = false;
    engine._PostgresMainLoopOnce = () => {
      if (death !== null) throw death;
      try {
        mainLoop();
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
        const printErr = (line: string) => void (lastMessage = ENDS.exec(line)?.[1] ?? lastMessage);
        const preRun = [...options.preRun, hook];
        return Promise.resolve({ emscriptenOpts: { ...options, printErr, preRun } });
      },
    },
    death: () => death === null ? null : lastMessage ?? firstSentence(death),
    lastWords: () => lastMessage,
  };
}

/** Without the hints for developers of the engine that the runtime adds. */
export function firstSentence({ message }: Error): string {
  return message.split(". ")[0]!;
}
