/** `deno task start`: builds what is missing or stale, then runs the server in this process. */
import { buildStale } from "./build.ts";

Deno.chdir(new URL("..", import.meta.url));
await buildStale();
await import("../main.ts");
