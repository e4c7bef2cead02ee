import type { Series } from "../domain/evidence/evidence.ts";
import type { AlertRule } from "../domain/incident/alert-rule.ts";
import type { Alert } from "../domain/incident/alert.ts";
import type { Workload } from "../domain/kubernetes/workload.ts";

/** Measurements. Throws like every adapter; the caller turns that into evidence. */
export interface Metrics {
  /** A range query, by default of some hundred points; `notes` carries the server's own warnings about partial answers. */
  range(
    query: string,
    from: Date,
    to: Date,
    points?: number,
  ): Promise<{ readonly series: readonly Series[]; readonly notes: readonly string[] }>;
  /** The alerting rule behind an alert name, as the server has it loaded. */
  ruleOf(alert: string): Promise<AlertRule | undefined>;
}

/** Log lines around the incident. */
export interface Logs {
  around(
    workload: Workload,
    from: Date,
    to: Date,
  ): Promise<{ readonly lines: readonly string[]; readonly notes: readonly string[] }>;
  /** How many lines per second look like errors. */
  errorRate(
    workload: Workload,
    from: Date,
    to: Date,
  ): Promise<{ readonly series: readonly Series[]; readonly notes: readonly string[] }>;
}

/** The alerts that fire now, asked from Alertmanager itself. */
export interface Alerts {
  active(): Promise<readonly Alert[]>;
}
