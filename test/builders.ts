import type { Alert } from "../src/domain/incident/alert.ts";
import { openIncident, type Incident } from "../src/domain/incident/incident.ts";

/** A firing alert of `web` in production, unless told otherwise. */
export function anAlert(changes: Partial<Alert> = {}): Alert {
  return {
    fingerprint: "f1",
    name: "HighRequestLatency",
    status: "firing",
    labels: { alertname: "HighRequestLatency", namespace: "shop-production", deployment: "web", severity: "critical" },
    annotations: { summary: "web answers slowly" },
    startsAt: "2026-11-24T02:00:00.000Z",
    generatorUrl: "http://prometheus/graph",
    ...changes,
  };
}

export function anIncident(changes: Partial<Alert> = {}): Incident {
  const workload = { kind: "Deployment", namespace: "shop-production", name: "web" };
  return openIncident("test", workload, anAlert(changes));
}

/** The body that Alertmanager would post for these alerts. */
export function aDelivery(alerts: readonly Alert[], changes: Readonly<Record<string, unknown>> = {}): object {
  return {
    version: "4",
    groupKey: "{}:{}",
    truncatedAlerts: 0,
    status: "firing",
    receiver: "rectify",
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: "http://alertmanager",
    alerts: alerts.map((alert) => ({
      status: alert.status,
      labels: alert.labels,
      annotations: alert.annotations,
      startsAt: alert.startsAt,
      endsAt: alert.status === "firing" ? "0001-01-01T00:00:00Z" : "2026-11-24T02:10:00Z",
      generatorURL: alert.generatorUrl,
      fingerprint: alert.fingerprint,
    })),
    ...changes,
  };
}
