/** When agents are notified. */
import { int, setting } from "./define.ts";

export const notifications = {
  waitingAlertMs: setting(
    "WAITING_ALERT_MS",
    int(0, 604_800_000),
    "300000",
    "Time that a contact waits for a reply before agents are notified; 0: never",
  ),
  absentAfterMs: setting(
    "ABSENT_AFTER_MS",
    int(0, 604_800_000),
    "300000",
    "Time for which an assignee is away or offline before all agents are notified of their waiting contacts; 0: never",
  ),
};
