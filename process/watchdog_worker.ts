/** The other thread of watchdog.ts: it looks whether the main thread still beats. */
import type { Watched } from "./watchdog.ts";

/** How the beginning of the epoch stands in a line. */
const EPOCH = new Date(0).toISOString();

let timer: ReturnType<typeof setInterval> | undefined;

self.onmessage = ({ data }: MessageEvent<Watched>) => watch(data);

function watch({ beats, lookMs, looks, line }: Watched): void {
  let seen = Atomics.load(beats, 0);
  // Looks are counted and not milliseconds: while the process is stopped, or the machine sleeps,
  // nobody looks.
  let missed = 0;
  clearInterval(timer);
  timer = setInterval(() => {
    const now = Atomics.load(beats, 0);
    missed = now === seen ? missed + 1 : 0;
    seen = now;
    if (missed >= looks) end(line.replace(EPOCH, new Date().toISOString()));
  }, lookMs);
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
