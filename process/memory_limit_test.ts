import assert from "node:assert/strict";
import { memoryLimit } from "./memory_limit.ts";

const limitOf = (files: Record<string, string>, machine: number | null = 8e9) =>
  memoryLimit({ read: (path) => files[path] ?? null, machine: () => machine });

Deno.test("memoryLimit() takes the tightest of the container, those around it and the machine", () => {
  assert.equal(limitOf({}), 8e9);
  assert.equal(limitOf({}, null), null);
  const v2 = { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "536870912\n" };
  assert.equal(limitOf(v2), 536870912);
  assert.equal(limitOf({ ...v2, "/sys/fs/cgroup/memory.max": "max\n" }), 8e9);
  const nested = {
    "/proc/self/cgroup": "0::/system.slice/parley.service\n",
    "/sys/fs/cgroup/system.slice/parley.service/memory.max": "max",
    "/sys/fs/cgroup/system.slice/memory.max": "1000000000",
  };
  assert.equal(limitOf(nested), 1e9);
  const v1 = {
    "/proc/self/cgroup": "9:name=systemd:/\n4:cpu,memory:/docker/abc\n0::/\n",
    "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "2000000000\n",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
  };
  assert.equal(limitOf(v1), 2e9);
  // In a container the path is that of the host, and the limit stands at the top.
  const inside = {
    "/proc/self/cgroup": "4:memory:/docker/abc",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "2000000000",
  };
  assert.equal(limitOf(inside), 2e9);
  assert.equal(limitOf({ "/proc/self/cgroup": "odd\n::\n" }), 8e9);
});
