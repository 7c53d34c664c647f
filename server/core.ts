/** What every part of the server is given. */
import type { OpenDatabase } from "../db/database.ts";
import type { EventBus } from "../domain/events.ts";
import type { Metrics } from "../domain/metrics.ts";
import type { Settings } from "../settings.ts";

export type ReportError = (error: unknown, context?: Record<string, unknown>) => void;

export interface Core {
  settings: Settings;
  database: OpenDatabase;
  bus: EventBus;
  metrics: Metrics;
  /** Name of this node. */
  node: string;
  onError: ReportError;
}
