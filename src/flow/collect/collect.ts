import { crosses, type Threshold, thresholdOf } from "../../domain/incident/alert-rule.ts";
import {
  type Evidence,
  evidenceOf,
  type EvidenceKey,
  type Finding,
  type Series,
} from "../../domain/evidence/evidence.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import { masked } from "../../domain/text/masking.ts";
import type { SelfHealing } from "../../domain/evidence/self-healing.ts";
import type { WorkloadState } from "../../domain/kubernetes/workload-state.ts";
import type { Workload } from "../../domain/kubernetes/workload.ts";
import { Refused, Unavailable } from "../../ports/errors.ts";
import { askHistory } from "./ask-history.ts";
import { type Asked, marking, type SourceQuestion, questionsFor, type CollectSources, type Span } from "./questions.ts";

/** What was seen before anyone reasons about it. */
export interface Observed {
  readonly evidence: readonly Evidence[];
  /** What the alert measures, and the line it crossed. */
  readonly threshold: Threshold | undefined;
  /** The newest value of the alert's metric. */
  readonly value: number | undefined;
  /** What the alert's own history says of firings that nobody did anything about. */
  readonly selfHealing: SelfHealing;
}

/** Each source has this long, and there are two rounds: collection ends in time whatever hangs. */
const deadlineMs = 10_000;

type Item = Omit<Evidence, "id" | "hash" | "from" | "to">;

/** Asks every source at once. A source that gives no answer is itself evidence, never a failure. */
export async function collect(incident: Incident, ports: CollectSources): Promise<Observed> {
  const to = ports.clock.now();
  const span = { from: new Date(to.getTime() - ports.timings.lookbackMs), to };
  const [rule, state, history] = await Promise.all([
    ruleOf(incident, ports),
    answerOf(ports, () => ports.cluster.workload(incident.workload)),
    answerOf(ports, () => askHistory(incident, ports)),
  ]);
  const questions = [
    ...(rule.threshold === undefined ? [] : [alertMetric(rule.threshold.query, incident.workload, ports, span)]),
    ...questionsFor(incident, state.kind === "answer" ? state.value : undefined, ports, span),
  ];
  const answers = await Promise.all(questions.map((question) => answeredBy(question, ports)));
  const seen: Item[] = [...atOnce(incident, rule.finding, state), historyItem(history), ...answers.flat()];
  const range = { from: span.from.toISOString(), to: span.to.toISOString() };
  const evidence = [...seen, ...nodeMetricsOf(seen)].map((item, index) =>
    evidenceOf(`E${index + 1}`, { ...item, ...range }),
  );
  const missing = evidence.filter((item) => item.finding.kind === "missing").length;
  ports.telemetry.log(
    incident.uid,
    "collect",
    `${evidence.length} items of evidence${missing === 0 ? "" : `, ${missing} sources gave no answer`}`,
  );
  const measured = evidence.find((item) => item.key === "alert-metric");
  return {
    evidence,
    threshold: rule.threshold,
    value: valueOf(measured?.finding, incident.workload, rule.threshold),
    selfHealing: history.kind === "answer" ? history.value.healing : { kind: "unknown", because: history.because },
  };
}

function atOnce(incident: Incident, rule: Finding, state: Asking<WorkloadState | undefined>): Item[] {
  const { alert, workload } = incident;
  const key = <const K extends EvidenceKey>(name: K) => ({ key: name });
  return [
    {
      ...{ ...key("alert"), source: "alertmanager", title: `alert ${alert.name}`, query: "webhook" },
      finding: alertFinding(incident),
    },
    {
      ...{ ...key("alert-rule"), source: "prometheus", title: "rule of the alert", query: "GET /api/v1/rules" },
      finding: rule,
    },
    {
      ...{ ...key("workload-state"), source: "kubernetes", title: "state of the workload" },
      ...{ query: `GET ${workload.kind}`, finding: stateFinding(state) },
    },
  ];
}

function historyItem(history: Asking<Awaited<ReturnType<typeof askHistory>>>): Item {
  const about = { key: "alert-history", source: "prometheus", title: "past firings of the alert" } as const;
  if (history.kind === "missing") return { ...about, query: "ALERTS", finding: history };
  return { ...about, query: history.value.query, finding: history.value.finding };
}

async function answeredBy({ ask, optional, ...item }: SourceQuestion, ports: CollectSources): Promise<readonly Item[]> {
  const answer = await answerOf(ports, ask);
  if (answer.kind === "missing") return [{ ...item, finding: answer }];
  const { query = item.query, ...finding } = answer.value as Asked & { query?: string };
  if (optional && isEmpty(finding as Finding)) return [];
  return [{ ...item, query, finding: withoutSecrets(finding as Finding) }];
}

/** Nothing to show and nothing to say about it. */
function isEmpty(finding: Finding): boolean {
  if (finding.kind === "text") return finding.lines.length + finding.notes.length === 0;
  return finding.kind === "series" && finding.series.length + finding.notes.length === 0;
}

function alertMetric(query: string, workload: Workload, ports: CollectSources, span: Span): SourceQuestion {
  const ask = async (): Promise<Finding> => {
    const { series, notes } = await ports.metrics.range(query, span.from, span.to);
    return { kind: "series", unit: "", series: ofWorkload(series, workload), notes };
  };
  return { key: "alert-metric", source: "prometheus", title: "metric of the alert", query, ask };
}

const kindByKey: Partial<Readonly<Record<EvidenceKey, string>>> = {
  requests: "requests",
  "error-share": "error-share",
};

/** What the ranking over the service graph reads: the same series under the names that it knows. */
function nodeMetricsOf(seen: readonly Item[]): Item[] {
  return seen.flatMap((item): Item[] => {
    const kind = item.key === undefined ? undefined : kindByKey[item.key];
    if (kind === undefined || item.finding.kind !== "series") return [];
    const series = item.finding.series.map((each) => marking(each, kind));
    const finding = { ...item.finding, series };
    return [{ ...item, key: "node-metrics", title: `${item.title}, by workload`, finding }];
  });
}

async function ruleOf(
  incident: Incident,
  ports: CollectSources,
): Promise<{ threshold: Threshold | undefined; finding: Finding }> {
  const rule = await answerOf(ports, () => ports.metrics.ruleOf(incident.alert.name));
  if (rule.kind === "missing") return { threshold: undefined, finding: rule };
  if (rule.value === undefined)
    return { threshold: undefined, finding: { kind: "missing", because: "Prometheus has no rule of that name" } };
  const threshold = thresholdOf(rule.value);
  const facts = {
    query: rule.value.query,
    ...(rule.value.forMs > 0 ? { forSeconds: rule.value.forMs / 1000 } : {}),
    ...(threshold && { comparison: threshold.comparison, limit: threshold.limit }),
    ...(rule.value.state === undefined ? {} : { state: rule.value.state }),
  };
  return { threshold, finding: { kind: "facts", facts, notes: [] } };
}

/** Series that carry other workloads' names are theirs; a series without a name is ours by its query. */
function ofWorkload(series: readonly Series[], workload: Workload): readonly Series[] {
  return series.filter(({ labels }) => {
    const name = labels.deployment ?? labels.statefulset ?? labels.rollout ?? workload.name;
    return name === workload.name && (labels.namespace ?? workload.namespace) === workload.namespace;
  });
}

/**
 * The newest value of the alert's metric for this workload. Of several series (one for each pod) that still have points
 * it is one that crosses the threshold, if any does.
 */
export function valueOf(
  finding: Finding | undefined,
  workload: Workload,
  threshold: Threshold | undefined,
): number | undefined {
  if (finding?.kind !== "series") return undefined;
  const last = ofWorkload(finding.series, workload).flatMap(({ points }) => points.slice(-1));
  const newest = last.reduce((latest, [at]) => Math.max(latest, at), Number.NEGATIVE_INFINITY);
  const values = last.filter(([at]) => at === newest).map(([, value]) => value);
  return values.find((value) => threshold !== undefined && crosses(threshold, value)) ?? values[0];
}

type Asking<T> =
  | { readonly kind: "answer"; readonly value: T }
  | { readonly kind: "missing"; readonly because: string };

async function answerOf<T>(
  { withTimeout }: Pick<CollectSources, "withTimeout">,
  ask: () => Promise<T>,
): Promise<Asking<T>> {
  try {
    return { kind: "answer", value: await withTimeout(deadlineMs, ask()) };
  } catch (error) {
    if (error instanceof Unavailable || error instanceof Refused) return { kind: "missing", because: error.message };
    throw error;
  }
}

/** Text that others can write is masked before anything else sees it. */
function withoutSecrets(finding: Finding): Finding {
  if (finding.kind !== "text") return finding;
  const lines = finding.lines.map((line) => masked(line));
  const masks = lines.reduce((sum, line) => sum + line.masks, 0);
  const notes = masks === 0 ? finding.notes : [...finding.notes, `${masks} secrets were masked`];
  return { kind: "text", lines: lines.map((line) => line.text), notes };
}

function alertFinding({ alert }: Incident): Finding {
  return { kind: "facts", facts: { ...alert.labels, status: alert.status, startsAt: alert.startsAt }, notes: [] };
}

function stateFinding(state: Asking<WorkloadState | undefined>): Finding {
  if (state.kind === "missing") return state;
  if (state.value === undefined) return { kind: "missing", because: "the workload does not exist on the cluster" };
  const { replicas, readyReplicas, updatedReplicas, observed, images, scaledBy, ownerReferences = [] } = state.value;
  const owners = ownerReferences.map(({ kind, name }) => `${kind}/${name}`).join(" ");
  const facts = {
    ...{ replicas, readyReplicas, updatedReplicas, observed, images: images.join(" ") },
    ...(owners === "" ? {} : { owners }),
    ...(scaledBy && { autoscaler: `${scaledBy.kind}/${scaledBy.name}`, autoscalerMax: scaledBy.max }),
  };
  return { kind: "facts", facts, notes: [] };
}
