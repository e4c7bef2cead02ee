import type { Series } from "../../domain/evidence/evidence.ts";
import type { Alert } from "../../domain/incident/alert.ts";
import { type Condition, crosses, sourceQuery, type Threshold } from "../../domain/incident/condition.ts";
import { type Workload, workloadKey } from "../../domain/kubernetes/workload.ts";
import type { Ports } from "../../ports/ports.ts";

/** Whose condition is measured. */
interface Subject {
  readonly workload: Workload;
  /** The alerts of the incident. */
  readonly alerts: readonly Alert[];
}

/** What the condition comes to now. Undefined = not measured, which is never a no. */
export interface Measured {
  readonly value: number | undefined;
  readonly holds: boolean | undefined;
}

type Asked = Pick<Ports, "metrics" | "concerns" | "clock" | "timings">;

/**
 * Measures the condition of an alert for one workload: by the metric and its line where they are the whole condition,
 * otherwise by whether the rule's query still has a series of the workload.
 */
export async function measure(condition: Condition, subject: Subject, everything: Asked): Promise<Measured> {
  const began = Math.max(...subject.alerts.map(({ startsAt }) => Date.parse(startsAt)));
  const ports = { ...everything, metrics: metricsSince(everything.metrics, began) };
  const { threshold, exact, query } = condition;
  const value = threshold && (await valueNow(threshold, subject, ports));
  if (exact && threshold !== undefined && value !== undefined) return { value, holds: crosses(threshold, value) };
  const found = exact ? [] : await newestOf(query, subject, ports);
  if (found.length > 0) return { value: value ?? found[0], holds: true };
  // A share beyond its line beside a part that is not there is no zero: then only the parts can say "no".
  const isBeyond = threshold !== undefined && value !== undefined && crosses(threshold, value);
  if (!isBeyond && condition.whole !== undefined && (await newestOf(condition.whole, subject, ports)).length > 0)
    return { value, holds: false };
  if (await isMeasured(condition.parts ?? [], subject, ports)) return { value, holds: false };
  // Empty means "no" only while someone else than the workload exposes what is measured, and is scraped.
  return { value, holds: (await isExposed(condition, subject, ports)) ? false : undefined };
}

/** Whether everything that the condition combines has a value for the workload. */
async function isMeasured(parts: readonly string[], subject: Subject, ports: Asked): Promise<boolean> {
  const found = await Promise.all(parts.map((part) => newestOf(part, subject, ports)));
  return parts.length > 0 && found.every((values) => values.length > 0);
}

/** The same metrics, of which no answer ends before this moment, in Unix milliseconds: what somebody else asked for may. */
export function metricsSince(metrics: Asked["metrics"], ms: number): Asked["metrics"] {
  const notBefore = new Date(ms);
  return { ...metrics, range: (query, from, to, wanted) => metrics.range(query, from, to, { ...wanted, notBefore }) };
}

async function valueNow(threshold: Threshold, subject: Subject, ports: Asked): Promise<number | undefined> {
  const values = await newestOf(threshold.query, subject, ports);
  return values.find((value) => crosses(threshold, value)) ?? values[0];
}

/** The values of the workload's series at the very end of the range: what ended before is gone. */
async function newestOf(query: string, subject: Subject, ports: Asked): Promise<readonly number[]> {
  const { series, to, stepMs } = await rangeNow(query, ports);
  const current = series.filter(({ points }) => isCurrent(points.at(-1), to.getTime() - stepMs / 2));
  const ours = await seriesOfSubject(current, subject, ports);
  return ours.flatMap(({ points }) => points.slice(-1).map(([, value]) => value));
}

function isCurrent(point: Series["points"][number] | undefined, sinceMs: number): boolean {
  return point !== undefined && point[0] * 1000 >= sinceMs;
}

async function rangeNow(query: string, { metrics, clock, timings }: Asked) {
  const to = clock.now();
  // Prometheus answers at whole steps from the start on: with whole seconds the last of them is the moment itself.
  const points = 2;
  const windowMs = points * 1000 * Math.max(1, Math.ceil(timings.pollMs / 1000));
  const { series, until = to } = await metrics.range(query, new Date(to.getTime() - windowMs), to, { points });
  return { series, to: until, stepMs: windowMs / points };
}

async function isExposed({ job }: Condition, { workload }: Subject, ports: Asked): Promise<boolean> {
  if (job === undefined) return false;
  const { series } = await rangeNow(sourceQuery(job, workload.namespace), ports);
  return series.some(({ points }) => points.length > 0);
}

// Each series may take some questions to the cluster: of more only what its labels say by themselves is taken.
const mostAsked = 100;

/** The series that are about the workload: the very labels of its alerts, or labels that lead to it as theirs did. */
export async function seriesOfSubject(
  series: readonly Series[],
  subject: Subject,
  { concerns }: Pick<Ports, "concerns">,
): Promise<readonly Series[]> {
  const { workload, alerts } = subject;
  const near = series.filter(({ labels }) => inNamespace(labels, workload));
  const own = near.filter(({ labels }) => alerts.some((alert) => isPartOf(labels, alert.labels)));
  const [first] = alerts;
  if (first === undefined) return own;
  const others = near.filter((one) => !own.includes(one)).slice(0, mostAsked);
  const kept = await Promise.all(
    others.map(async (one) => {
      const labels = { ...ruleLabels(first, own[0]), ...one.labels, alertname: first.name };
      const concern = await concerns.of({ ...first, fingerprint: "", labels });
      return concern.kind === "workload" && workloadKey(concern.workload) === workloadKey(workload) ? [one] : [];
    }),
  );
  return [...own, ...kept.flat()];
}

function inNamespace(labels: Series["labels"], { namespace }: Workload): boolean {
  const named = labels.exported_namespace ?? labels.namespace ?? namespace;
  return named === namespace;
}

function isPartOf(labels: Series["labels"], alert: Series["labels"]): boolean {
  return Object.entries(labels).every(([label, value]) => label === "__name__" || alert[label] === value);
}

/** What the rule itself puts on its alerts: the labels of an alert that its series does not have. */
function ruleLabels(alert: Alert, series: Series | undefined): Record<string, string> {
  if (series === undefined) return {};
  return Object.fromEntries(Object.entries(alert.labels).filter(([label]) => series.labels[label] === undefined));
}
