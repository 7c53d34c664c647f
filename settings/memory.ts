/** How much memory the process may take. */
import { int, setting } from "./define.ts";

export const memory = {
  limitBytes: setting(
    "MEMORY_LIMIT_BYTES",
    int(67_108_864, 2 ** 50),
    undefined,
    "Memory that the process may take; unset: that of the container (cgroup) or of the machine, where the runtime may read it",
  ),
  guardPercent: setting(
    "MEMORY_GUARD_PERCENT",
    int(0, 100),
    "80",
    "Part of it past which new sockets are refused and those not authenticated are let go; 0: never",
  ),
  stopPercent: setting(
    "MEMORY_STOP_PERCENT",
    int(0, 100),
    "95",
    "Part of it past which the process drains and ends, to be started again by its supervisor; 0: never",
  ),
};
