/**
 * Ends processes that a test started, also when the test itself is killed: a small shell waits for
 * the end of its input, which comes with the end of whoever holds it, and then kills the listed
 * processes with their children (frozen ones, too) and removes the listed folders
 * (also such as a file system is mounted on).
 */
const SCRIPT = `
trap '' INT TERM HUP
while read -r entry; do
  case "$entry" in
    done) exit 0 ;;
    /*) dirs="$dirs $entry" ;;
    *) pids="$pids $entry" ;;
  esac
done
for pid in $pids; do
  for stat in /proc/[0-9]*/stat; do
    read -r child _ _ parent _ < "$stat" 2>/dev/null && [ "$parent" = "$pid" ] && kill -KILL "$child"
  done
  kill -KILL "$pid"
done 2>/dev/null
for dir in $dirs; do
  umount -l "$dir" 2>/dev/null
  rm -rf "$dir"
done
`;

export interface Reaper {
  /** Its process id, or a folder's absolute path. */
  guard(entry: number | string): Promise<void>;
  /** Everything was ended in order. */
  close(): Promise<void>;
}

export function startReaper(): Reaper {
  const child = new Deno.Command("sh", {
    args: ["-c", SCRIPT],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const input = child.stdin.getWriter();
  const write = (line: string) => input.write(new TextEncoder().encode(`${line}\n`));
  return {
    guard: (entry) => write(`${entry}`),
    async close() {
      await write("done");
      await input.close().catch(() => {});
      await child.status;
    },
  };
}
