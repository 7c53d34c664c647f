/** A program or a service of the operator that looks at each file before anybody can get it. */
import { ParleyError } from "../../protocol/errors.ts";

export interface ScanOptions {
  /** A program with its arguments, separated by spaces; it reads the file from standard input. */
  command?: string | undefined;
  /** Gets the file as the body of a POST. */
  url?: string | undefined;
  timeoutMs: number;
}

/** @throws {ParleyError} `file_refused`; `unavailable` when it could not be scanned. */
export type Scan = (
  file: { name: string; mediaType: string },
  bytes: ReadableStream<Uint8Array>,
) => Promise<void>;

/** Characters of what a scanner says that are passed on. */
const MAX_REASON = 200;
/** With this the program refuses; with 0 it does not. As clamscan does it. */
const REFUSED = 1;

/** null: nothing is scanned. */
export function createScan({ command, url, timeoutMs }: ScanOptions): Scan | null {
  if (url !== undefined) {
    return async ({ name, mediaType }, bytes) => {
      const response = await fetch(url, {
        method: "POST",
        body: bytes,
        headers: { "content-type": mediaType, "x-file-name": encodeURIComponent(name) },
        signal: AbortSignal.timeout(timeoutMs),
      }).catch(notScanned);
      const said = await response.text().catch(notScanned);
      if (response.ok) return;
      if (response.status === 403 || response.status === 406 || response.status === 422) {
        throw refused(said);
      }
      notScanned(new Error(`The scanner responded with ${response.status}`));
    };
  }
  if (command === undefined) return null;
  const [program, ...args] = command.split(/\s+/).filter((word) => word !== "");
  return async (_file, bytes) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const { code, stdout } = await run(program!, args, bytes, signal).catch(notScanned);
    if (code === REFUSED) throw refused(stdout);
    if (code !== 0) notScanned(new Error(`The scanner ended with code ${code}`));
  };
}

async function run(
  program: string,
  args: string[],
  bytes: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<{ code: number; stdout: string }> {
  const child = new Deno.Command(program, {
    args,
    signal,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  // A program may decide before it has read everything.
  const fed = bytes.pipeTo(child.stdin).catch(() => {});
  const { code, stdout, signal: killed } = await child.output();
  await fed;
  if (killed !== null) throw new Error(`The scanner was ended by ${killed}`);
  return { code, stdout: new TextDecoder().decode(stdout) };
}

function refused(said: string): ParleyError {
  const reason = said.replace(/\s+/g, " ").trim().slice(0, MAX_REASON).toWellFormed();
  return new ParleyError(
    "file_refused",
    `Cannot take the file: the scan refused it${reason === "" ? "" : `: ${reason}`}`,
  );
}

/** Also for a command that is not there: nothing passes without a scan. */
function notScanned(cause: unknown): never {
  throw new ParleyError("unavailable", "Cannot take the file: it could not be scanned", {
    retryAfter: 30_000,
    cause,
  });
}
