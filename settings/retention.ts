/** For how long things are kept. */
import { int, setting } from "./define.ts";

export const retention = {
  changes: setting(
    "MAX_CHANGES",
    int(1000, 100_000_000),
    "100000",
    "Changes of tables kept for clients that were away",
  ),
  changesMs: setting(
    "CHANGE_RETENTION_MS",
    int(1000, 2_592_000_000),
    "3600000",
    "Time for which they are kept (1 hour), and a table goes on being recorded without a follower, " +
      "unless there are more than MAX_CHANGES",
  ),
  notificationsMs: setting(
    "NOTIFICATION_RETENTION_MS",
    int(60_000, 31_536_000_000),
    "2592000000",
    "Time for which agents' notifications are kept (30 days)",
  ),
  auditMs: setting(
    "AUDIT_RETENTION_MS",
    int(3_600_000, 315_360_000_000),
    "31536000000",
    "Time for which the audit log is kept (a year)",
  ),
  metricMinutesDays: setting(
    "METRIC_MINUTES_DAYS",
    int(2, 366),
    "3",
    "Days for which figures are kept by the minute",
  ),
  metricHoursDays: setting(
    "METRIC_HOURS_DAYS",
    int(31, 3660),
    "400",
    "Days for which figures are kept by the hour and its quarters, and which conversations they are of",
  ),
  metricDaysDays: setting(
    "METRIC_DAYS_DAYS",
    int(366, 36_600),
    "1830",
    "Days for which figures are kept by day of UTC",
  ),
};
