/** Logs and metrics. */
import { z } from "zod";
import { setting, text } from "./define.ts";

export const telemetry = {
  logLevel: setting(
    "LOG_LEVEL",
    z.enum(["debug", "info", "warning", "error"], "must be debug, info, warning or error"),
    "info",
    "Lowest level of log lines: debug, info, warning or error",
  ),
  logFormat: setting(
    "LOG_FORMAT",
    z.enum(["auto", "json", "text"], 'must be "auto", "json" or "text"'),
    "auto",
    "Format of log lines: json (one object per line), text (for people), or auto: text at a terminal, otherwise json",
  ),
  metricsToken: setting(
    "METRICS_TOKEN",
    text(16, "must have at least 16 characters"),
    undefined,
    "Bearer token for /metrics; unset: only clients on this machine or in a private network may read it",
    { secret: true },
  ),
};
