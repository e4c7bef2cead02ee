import type { Series } from "../domain/evidence/evidence.ts";
import type { AlertRule } from "../domain/incident/alert-rule.ts";
import type { Alert, SeenAlert } from "../domain/incident/alert.ts";
import type { Concern } from "../domain/incident/incident.ts";
import type { Workload } from "../domain/kubernetes/workload.ts";

/** Measurements. Throws like every adapter; the caller turns that into evidence. */
export interface Metrics {
  /**
   * A range query, of some hundred points if `points` says nothing else. `notes` carries the server's own warnings about partial answers;
   * `until` is where the answer ends if that is not where the question did: it may be shared with an earlier one, but for
   * one that ends before `notBefore`.
   */
  range(
    query: string,
    from: Date,
    to: Date,
    wanted?: { readonly points?: number; readonly notBefore?: Date },
  ): Promise<{ readonly series: readonly Series[]; readonly notes: readonly string[]; readonly until?: Date }>;
  /** The alerting rule behind an alert, as the server has it loaded; throws `Refused` where several could be it. */
  ruleOf(alert: Pick<Alert, "name" | "labels" | "generatorUrl">): Promise<AlertRule | undefined>;
}

/** Measurements of which not one step may be left out. */
export interface WholeHistory {
  /** A range query of so many steps. What had to be asked in parts comes so: a series as often, in the order of time. */
  everyStep(
    query: string,
    from: Date,
    to: Date,
    points: number,
  ): Promise<{ readonly series: readonly Series[]; readonly notes: readonly string[] }>;
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

/** Whom alerts concern, by their labels, the guardrails, the cluster and Prometheus. Never throws for a source that is away. */
export interface Concerns {
  of(alert: Alert): Promise<Concern>;
}

/** The alerts that fire now, asked from Alertmanager itself. */
export interface Alerts {
  active(): Promise<readonly SeenAlert[]>;
}
