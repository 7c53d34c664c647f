/** For how long things are kept. */
import { int, setting } from "./define.ts";

export const retention = {
  changes: setting(
    "MAX_CHANGES",
    int(1000, 100_000_000),
    "100000",
    "Changes of tables stored for clients that reconnect",
  ),
  changesMs: setting(
    "CHANGE_RETENTION_MS",
    int(1000, 2_592_000_000),
    "3600000",
    "Time for which they are stored (1 hour), unless there are more than MAX_CHANGES; a table is " +
      "recorded for as long after its last subscriber",
  ),
  notificationsMs: setting(
    "NOTIFICATION_RETENTION_MS",
    int(60_000, 31_536_000_000),
    "2592000000",
    "Time for which agents' notifications are stored (30 days)",
  ),
  auditMs: setting(
    "AUDIT_RETENTION_MS",
    int(3_600_000, 315_360_000_000),
    "31536000000",
    "Time for which the audit log is stored (a year)",
  ),
  metricMinutesDays: setting(
    "METRIC_MINUTES_DAYS",
    int(2, 366),
    "3",
    "Days for which figures are stored by minute",
  ),
  metricHoursDays: setting(
    "METRIC_HOURS_DAYS",
    int(31, 3660),
    "400",
    "Days for which figures are stored by hour and quarter of an hour, and by conversation",
  ),
  metricDaysDays: setting(
    "METRIC_DAYS_DAYS",
    int(366, 36_600),
    "1830",
    "Days for which figures are stored by day (UTC)",
  ),
};
