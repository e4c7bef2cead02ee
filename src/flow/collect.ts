import { type Threshold, thresholdOf } from "../domain/alert-rule.ts";
import {
  type Evidence,
  evidenceOf,
  type EvidenceKey,
  type EvidenceSource,
  type Finding,
  type Series,
} from "../domain/evidence.ts";
import type { Incident } from "../domain/incident.ts";
import { masked } from "../domain/masking.ts";
import { foldPods, type PromQuestion, promQuestions } from "../domain/prom-queries.ts";
import type { WorkloadState } from "../domain/workload-state.ts";
import type { Workload } from "../domain/workload.ts";
import { type Ports, Refused, Unavailable } from "../ports.ts";
import { runbookFinding } from "./load-runbooks.ts";
import { recentCommits } from "./recent-commits.ts";

/** What was seen before anyone reasons about it. */
export interface Observed {
  readonly evidence: readonly Evidence[];
  /** What the alert measures, and the line it crossed. */
  readonly threshold: Threshold | undefined;
  /** The newest value of the alert's metric. */
  readonly value: number | undefined;
}

type Asked = Pick<Ports, "cluster" | "metrics" | "logs" | "clock" | "tempo" | "github" | "renderer" | "telemetry">;

/** One thing to find out. `ask` throws like every adapter; the caller turns that into evidence. */
interface Question {
  readonly key?: EvidenceKey | undefined;
  readonly source: EvidenceSource;
  readonly title: string;
  readonly query: string;
  readonly ask: () => Promise<Finding>;
}

interface Span {
  readonly from: Date;
  readonly to: Date;
}

/** Asks every source at once. A source that gives no answer is itself evidence, never a failure. */
export async function collect(incident: Incident, ports: Asked): Promise<Observed> {
  const to = ports.clock.now();
  const span = { from: new Date(to.getTime() - ports.tempo.lookbackMs), to };
  const rule = await ruleOf(incident, ports);
  const state = await answerOf(() => ports.cluster.workload(incident.workload));
  const questions = [
    ...(rule.threshold === undefined ? [] : [alertMetric(rule.threshold.query, incident.workload, ports, span)]),
    ...promQuestions(incident.workload, ports.tempo.rateWindow).map((asked) => metric(asked, ports, span)),
    ...clusterQuestions(incident, ports),
    ...logQuestion(incident.workload, ports, span),
    runbookQuestion(incident, ports),
    commitQuestion(incident.workload, state.kind === "answer" ? state.value : undefined, ports, span),
  ];
  const findings = await Promise.all(
    questions.map(async (question) => ({ ...question, finding: await findingOf(question.ask) })),
  );
  const seen: Omit<Evidence, "id" | "hash" | "from" | "to">[] = [
    {
      key: "alert",
      source: "alertmanager",
      title: `alert ${incident.alert.name}`,
      query: "webhook",
      finding: alertFinding(incident),
    },
    {
      key: "alert-rule",
      source: "prometheus",
      title: "rule of the alert",
      query: "GET /api/v1/rules",
      finding: rule.finding,
    },
    {
      key: "workload-state",
      source: "kubernetes",
      title: "state of the workload",
      query: `GET ${incident.workload.kind}`,
      finding: stateFinding(state),
    },
    ...findings
      .filter(({ source, finding }) => source !== "runbook" || !isEmpty(finding))
      .map(({ ask: _, ...item }) => item),
  ];
  const range = { from: span.from.toISOString(), to: span.to.toISOString() };
  const evidence = [...seen, ...nodeMetricsOf(seen)].map((item, index) =>
    evidenceOf(`E${index + 1}`, { ...item, ...range }),
  );
  const missing = evidence.filter((item) => item.finding.kind === "missing").length;
  ports.telemetry.tell(
    incident.uid,
    "collect",
    `${evidence.length} items of evidence${missing === 0 ? "" : `, ${missing} sources gave no answer`}`,
  );
  const measured = evidence.find((item) => item.key === "alert-metric");
  return { evidence, threshold: rule.threshold, value: lastValue(measured?.finding, incident.workload) };
}

function alertMetric(query: string, workload: Workload, ports: Asked, span: Span): Question {
  const ask = async (): Promise<Finding> => {
    const { series, notes } = await ports.metrics.range(query, span.from, span.to);
    return { kind: "series", unit: "", series: ofWorkload(series, workload), notes };
  };
  return { key: "alert-metric", source: "prometheus", title: "metric of the alert", query, ask };
}

// A namespace with more workloads than this is shown in part, and says so.
const mostSeries = 200;

function metric(
  { key, title, unit, query, fold, metric: kind }: PromQuestion,
  ports: Asked,
  { from, to }: Span,
): Question {
  const ask = async (): Promise<Finding> => {
    const { series, notes } = await ports.metrics.range(query, from, to);
    const folded = fold === undefined ? series : foldPods(series, fold);
    const marked = kind === undefined || key !== "node-metrics" ? folded : folded.map((item) => marking(item, kind));
    const cut = folded.length > mostSeries ? [`${folded.length - mostSeries} more series were left out`] : [];
    return { kind: "series", unit, series: marked.slice(0, mostSeries), notes: [...notes, ...cut] };
  };
  return { key, source: "prometheus", title, query, ask };
}

function marking({ labels, points }: Series, metric: string): Series {
  return { labels: { ...labels, metric }, points };
}

const kindByKey: Partial<Readonly<Record<EvidenceKey, string>>> = {
  requests: "requests",
  "error-share": "error-share",
};

/** What the ranking over the service graph reads: the same series under the names that it knows. */
function nodeMetricsOf(seen: readonly Omit<Evidence, "id" | "hash" | "from" | "to">[]) {
  return seen.flatMap((item) => {
    const kind = item.key === undefined ? undefined : kindByKey[item.key];
    if (kind === undefined || item.finding.kind !== "series") return [];
    const series = item.finding.series.map((each) => marking(each, kind));
    return [
      {
        ...item,
        key: "node-metrics" as const,
        title: `${item.title}, by workload`,
        finding: { ...item.finding, series },
      },
    ];
  });
}

function clusterQuestions({ workload }: Incident, { cluster, clock }: Asked): Question[] {
  const around = memoized(() => cluster.surroundings(workload));
  const source = "kubernetes" as const;
  const { namespace } = workload;
  return [
    {
      ...{ key: "events", source, title: "events around the workload", query: `GET events ${namespace}` },
      ask: async () => {
        const { events, nodePressures, notes } = await around();
        return { kind: "text", lines: [...events, ...nodePressures], notes };
      },
    },
    {
      ...{ key: "rollouts", source, title: "rollouts of the workload", query: `GET replicasets ${namespace}` },
      ask: async () => ({ kind: "facts", facts: (await around()).rollouts, notes: [] }),
    },
    {
      ...{ key: "oom-kills", source, title: "containers killed for memory", query: `GET pods ${namespace}` },
      ask: async () => {
        const killed = (await around()).terminations.filter(({ reason }) => reason === "OOMKilled");
        const points = [[clock.now().getTime() / 1000, killed.length]] as const;
        return { kind: "series", unit: "", series: [{ labels: {}, points }], notes: [] };
      },
    },
    {
      ...{ key: "quotas", source, title: "quotas of the namespace", query: `GET resourcequotas ${namespace}` },
      ask: async () => {
        const rows = (await around()).quotas.map(({ quota, resource, used, hard }) => [
          `${quota} ${resource}`,
          `${used} of ${hard}`,
        ]);
        return { kind: "facts", facts: Object.fromEntries(rows) as Record<string, string>, notes: [] };
      },
    },
  ];
}

function memoized<T>(work: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= work();
    return answer;
  };
}

function logQuestion(workload: Workload, { logs }: Asked, { from, to }: Span): Question[] {
  if (logs === undefined) return [];
  const ask = async (): Promise<Finding> => ({ kind: "text", ...(await logs.around(workload, from, to)) });
  const query = `logs of ${workload.namespace}/${workload.name}`;
  return [{ key: "logs", source: "loki", title: "log lines", query, ask }];
}

function commitQuestion(workload: Workload, state: WorkloadState | undefined, ports: Asked, { from }: Span): Question {
  const query = `git log --since=${from.toISOString()}`;
  const ask = async (): Promise<Finding> => recentCommits(workload, state, from, ports);
  return { key: "commits", source: "git", title: "commits that changed the workload", query, ask };
}

function runbookQuestion({ alert }: Incident, { github }: Asked): Question {
  const ask = async (): Promise<Finding> => runbookFinding((await github.head()).tree, alert.name);
  return { source: "runbook", title: `runbooks of ${alert.name}`, query: "runbooks/*.md of the default branch", ask };
}

/** Most alerts have no runbook: that is no item of evidence. */
function isEmpty(finding: Finding): boolean {
  return finding.kind === "text" && finding.lines.length + finding.notes.length === 0;
}

async function ruleOf(
  incident: Incident,
  { metrics }: Asked,
): Promise<{ threshold: Threshold | undefined; finding: Finding }> {
  const rule = await answerOf(() => metrics.ruleOf(incident.alert.name));
  if (rule.kind === "missing") return { threshold: undefined, finding: rule };
  if (rule.value === undefined)
    return { threshold: undefined, finding: { kind: "missing", because: "Prometheus has no rule of that name" } };
  const threshold = thresholdOf(rule.value);
  const facts = {
    query: rule.value.query,
    ...(threshold && { comparison: threshold.comparison, limit: threshold.limit }),
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

/** The newest value of the alert's metric for this workload. */
export function lastValue(finding: Finding | undefined, workload: Workload): number | undefined {
  if (finding?.kind !== "series") return undefined;
  return ofWorkload(finding.series, workload)[0]?.points.at(-1)?.[1];
}

type Asking<T> =
  | { readonly kind: "answer"; readonly value: T }
  | { readonly kind: "missing"; readonly because: string };

async function answerOf<T>(ask: () => Promise<T>): Promise<Asking<T>> {
  try {
    return { kind: "answer", value: await ask() };
  } catch (error) {
    if (error instanceof Unavailable || error instanceof Refused) return { kind: "missing", because: error.message };
    throw error;
  }
}

async function findingOf(ask: () => Promise<Finding>): Promise<Finding> {
  const answer = await answerOf(ask);
  return answer.kind === "answer" ? withoutSecrets(answer.value) : answer;
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
  const { replicas, readyReplicas, updatedReplicas, observed, images, scaledBy } = state.value;
  const facts = { replicas, readyReplicas, updatedReplicas, observed, images: images.join(" ") };
  if (scaledBy === undefined) return { kind: "facts", facts, notes: [] };
  const autoscaler = { autoscaler: `${scaledBy.kind}/${scaledBy.name}`, autoscalerMax: scaledBy.max };
  return { kind: "facts", facts: { ...facts, ...autoscaler }, notes: [] };
}
