/** How much memory the process may take. */
import { int, setting } from "./define.ts";

export const memory = {
  limitBytes: setting(
    "MEMORY_LIMIT_BYTES",
    int(67_108_864, 2 ** 50),
    undefined,
    "Memory that the process may use; unset: that of the container (cgroup) or of the machine, if the runtime may read it",
  ),
  guardPercent: setting(
    "MEMORY_GUARD_PERCENT",
    int(0, 100),
    "80",
    "Percentage of it above which new sockets are refused and sockets that are not authenticated are closed; 0: never",
  ),
  stopPercent: setting(
    "MEMORY_STOP_PERCENT",
    int(0, 100),
    "95",
    "Percentage of it above which the process drains and ends, and its supervisor starts it again; 0: never",
  ),
};
