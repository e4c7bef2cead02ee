import { withinReach } from "../../domain/evidence/within-reach.ts";
import { unitIn } from "../../domain/evidence/finding-text.ts";
import { unitOf } from "../../domain/evidence/unit.ts";
import { type Condition, conditionOf, type Threshold } from "../../domain/incident/condition.ts";
import { type Evidence, evidenceOf, type EvidenceKey, type Finding } from "../../domain/evidence/evidence.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import { masked } from "../../domain/text/masking.ts";
import type { SelfHealing } from "../../domain/evidence/self-healing.ts";
import type { WorkloadState } from "../../domain/kubernetes/workload-state.ts";
import { isKnownFailure } from "../../ports/errors.ts";
import { beganAt } from "../../domain/root-cause/symptom.ts";
import { askHistory } from "./ask-history.ts";
import { calleePatterns, ownPatterns } from "./log-patterns.ts";
import { measure, type Measured, metricsSince, seriesOfSubject } from "./measure.ts";
import {
  type Asked,
  gapsIn,
  marking,
  type SourceQuestion,
  questionsFor,
  type CollectSources,
  type Span,
} from "./questions.ts";

/** What was seen before anyone reasons about it. */
export interface Observed {
  readonly evidence: readonly Evidence[];
  /** What the alert measures, and the line it crossed. */
  readonly threshold: Threshold | undefined;
  /** When the alert fires, as far as its rule was read. */
  readonly condition?: Condition | undefined;
  /** The newest value of the alert's metric. */
  readonly value: number | undefined;
  /** Whether the alert's condition holds for the workload now; undefined = not measured. */
  readonly holds?: boolean | undefined;
  /** What the alert's own history says of firings that nobody did anything about. */
  readonly selfHealing: SelfHealing;
}

/** Each source has this long, and there are three rounds: collection ends in time whatever hangs. */
const deadlineMs = 10_000;

type Item = Omit<Evidence, "id" | "hash" | "from" | "to">;

/**
 * Asks every source at once. A source that gives no answer is itself evidence, never a failure. Nothing is as old as the
 * look before, which ended at `before`, or as the time before the alert.
 */
export async function collect(incident: Incident, sources: CollectSources, before?: string): Promise<Observed> {
  const began = Date.parse(incident.alert.startsAt);
  const since = before === undefined ? began : Math.max(began, Date.parse(before) + 1);
  const ports = { ...sources, metrics: metricsSince(sources.metrics, since) };
  const to = ports.clock.now();
  const span = { from: new Date(to.getTime() - ports.timings.lookbackMs), to };
  const [rule, state, history] = await Promise.all([
    ruleOf(incident, ports),
    answerOf(ports, () => ports.cluster.workload(incident.workload)),
    answerOf(ports, () => askHistory(incident, ports)),
  ]);
  const questions = [
    ...(rule.condition === undefined ? [] : [alertMetric(rule.condition, incident, ports, span)]),
    ...questionsFor(incident, state.kind === "answer" ? state.value : undefined, ports, span),
  ];
  const [measured, ...answers] = await Promise.all([
    measuredNow(rule.condition, incident, ports),
    ...questions.map((question) => answeredBy(question, ports)),
  ]);
  const whole: Item[] = [...atOnce(incident, rule.finding, state), historyItem(history), ...answers.flat()];
  const seen = withinReach(whole, incident.workload);
  const around = { home: incident.workload, items: seen, span, began: beganAt(seen) };
  const callees = await Promise.all(calleePatterns(around, ports).map((question) => answeredBy(question, ports)));
  const range = { from: span.from.toISOString(), to: span.to.toISOString() };
  const evidence = [...seen, ...nodeMetricsOf(seen), ...ownPatterns(around), ...callees.flat()].map((item, index) =>
    evidenceOf(`E${index + 1}`, { ...item, ...range }),
  );
  const missing = evidence.filter((item) => item.finding.kind === "missing").length;
  ports.telemetry.log(
    incident.uid,
    "collect",
    `${evidence.length} items of evidence${missing === 0 ? "" : `, ${missing} sources gave no answer`}`,
  );
  return {
    evidence,
    ...{ threshold: rule.condition?.threshold, condition: rule.condition, ...measured },
    selfHealing: history.kind === "answer" ? history.value.healing : { kind: "unknown", because: history.because },
  };
}

async function measuredNow(
  condition: Condition | undefined,
  incident: Incident,
  ports: CollectSources,
): Promise<Measured> {
  const unknown = { value: undefined, holds: undefined };
  if (condition === undefined) return unknown;
  const subject = { workload: incident.workload, alerts: [incident.alert] };
  const answer = await answerOf(ports, () => measure(condition, subject, ports));
  return answer.kind === "answer" ? answer.value : unknown;
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
  if (finding.kind === "facts") return Object.keys(finding.facts).length + finding.notes.length === 0;
  return finding.kind === "series" && finding.series.length + finding.notes.length === 0;
}

/** The metric with its line where the rule has one, otherwise what its query returns while the condition holds. */
function alertMetric(
  { threshold, query: whole }: Condition,
  incident: Incident,
  ports: CollectSources,
  span: Span,
): SourceQuestion {
  const query = threshold?.query ?? whole;
  const subject = { workload: incident.workload, alerts: [incident.alert] };
  const ask = async (): Promise<Finding> => {
    const { series, notes, until = span.to } = await ports.metrics.range(query, span.from, span.to);
    const ours = await seriesOfSubject(series, subject, ports);
    // A rule's whole query has a series while it holds only: that it has none is its answer.
    const gaps = threshold === undefined ? [] : gapsIn(ours, incident.workload, { ...span, to: until });
    return { kind: "series", unit: unitOf(query), series: ours, notes: [...notes, ...gaps] };
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
    const finding = { ...item.finding, unit: unitIn(item), series };
    return [{ ...item, key: "node-metrics", title: `${item.title}, by workload`, finding }];
  });
}

async function ruleOf(
  { alert }: Incident,
  ports: CollectSources,
): Promise<{ condition: Condition | undefined; finding: Finding }> {
  const rule = await answerOf(ports, () => ports.metrics.ruleOf(alert));
  if (rule.kind === "missing") return { condition: undefined, finding: rule };
  if (rule.value === undefined)
    return { condition: undefined, finding: { kind: "missing", because: "Prometheus has no rule of that name" } };
  const { query, state, forMs, expression } = rule.value;
  const condition = conditionOf(rule.value, alert.labels.job);
  const { threshold } = condition;
  const facts = {
    query,
    ...(forMs > 0 ? { forSeconds: forMs / 1000 } : {}),
    ...(threshold && { comparison: threshold.comparison, limit: threshold.limit }),
    ...(state === undefined ? {} : { state }),
  };
  const notes = expression === undefined ? ["the rule's query cannot be read: it is measured by what it returns"] : [];
  return { condition, finding: { kind: "facts", facts, notes } };
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
    if (isKnownFailure(error)) return { kind: "missing", because: error.message };
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
