/** The other thread of watchdog.ts: it checks whether the main thread still beats. */
import type { Watched } from "./watchdog.ts";

/** The beginning of the epoch as it is in a line. */
const EPOCH = new Date(0).toISOString();

let timer: ReturnType<typeof setInterval> | undefined;

self.onmessage = ({ data }: MessageEvent<Watched>) => watch(data);

function watch({ beats, checkMs, checks, line }: Watched): void {
  let seen = Atomics.load(beats, 0);
  // Checks are counted and not milliseconds: there is none while the process is stopped, or the
  // machine sleeps.
  let missed = 0;
  clearInterval(timer);
  timer = setInterval(() => {
    const now = Atomics.load(beats, 0);
    missed = now === seen ? missed + 1 : 0;
    seen = now;
    if (missed >= checks) end(line.replace(EPOCH, new Date().toISOString()));
  }, checkMs);
}

function end(line: string): void {
  clearInterval(timer);
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
  } finally {
    // Deno.exit() would end this thread alone.
    Deno.kill(Deno.pid, "SIGKILL");
  }
}
