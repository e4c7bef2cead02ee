import {
  type Evidence,
  type EvidenceKey,
  evidenceOf,
  type Finding,
  type Series,
} from "../../../src/domain/evidence/evidence.ts";
import { type Incident, openIncident } from "../../../src/domain/incident/incident.ts";
import type { Workload } from "../../../src/domain/kubernetes/workload.ts";

/** An incident of the shop and evidence for it, one point a minute. */
export const web: Workload = { kind: "Deployment", namespace: "shop", name: "web" };
export const start = Date.parse("2026-01-02T10:00:00Z");
export const at = (minute: number): string => new Date(start + minute * 60_000).toISOString();

export function incidentOf(
  options: { name?: string; minute?: number; labels?: Record<string, string> } = {},
): Incident {
  return openIncident("production", web, {
    fingerprint: "f1",
    name: options.name ?? "HighRequestLatency",
    status: "firing",
    labels: { severity: "critical", namespace: "shop", deployment: "web", ...options.labels },
    annotations: {},
    startsAt: at(options.minute ?? 22),
    generatorUrl: "",
  });
}

/** Numbers the items E1, E2, … in the order given. */
export function evidenceFrom(items: readonly (readonly [EvidenceKey, Finding])[]): Evidence[] {
  return items.map(([key, finding], index) =>
    evidenceOf(`E${index + 1}`, {
      source: key === "events" ? "kubernetes" : "prometheus",
      key,
      title: key,
      query: key,
      from: at(0),
      to: at(30),
      finding,
    }),
  );
}

export function points(values: readonly number[]): Series["points"] {
  return values.map((value, minute) => [start / 1000 + minute * 60, value] as const);
}

export function series(...lines: readonly { labels?: Record<string, string>; values: readonly number[] }[]): Finding {
  const all = lines.map(({ labels = {}, values }) => ({ labels, points: points(values) }));
  return { kind: "series", unit: "", series: all, notes: [] };
}

export function facts(values: Record<string, string | number | boolean>): Finding {
  return { kind: "facts", facts: values, notes: [] };
}

export function text(...lines: string[]): Finding {
  return { kind: "text", lines, notes: [] };
}

/** Thirty values: `before` until the minute, `after` from then on, with a small repeatable noise. */
export function step(before: number, after: number, minute = 20): number[] {
  return Array.from(
    { length: 30 },
    (_, index) => (index < minute ? before : after) * (1 + 0.02 * Math.sin(index * 2.4)),
  );
}

export const level = (value: number): number[] => step(value, value);
