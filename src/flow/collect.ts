import { type Threshold, thresholdOf } from "../domain/alert-rule.ts";
import { evidenceOf, type Evidence, type EvidenceSource, type Finding, type Series } from "../domain/evidence.ts";
import type { Incident } from "../domain/incident.ts";
import type { Entry } from "../domain/manifest-edit.ts";
import type { WorkloadState } from "../domain/workload-state.ts";
import type { Workload } from "../domain/workload.ts";
import { type Ports, Refused, Unavailable } from "../ports.ts";

/** What was seen before anyone reasons about it. */
export interface Observed {
  readonly evidence: readonly Evidence[];
  readonly workload: WorkloadState | undefined;
  readonly entry: Entry | undefined;
  /** What the alert measures, for this workload. */
  readonly threshold: Threshold | undefined;
  /** The newest value of the alert's metric. */
  readonly value: number | undefined;
}

type Asked = Pick<Ports, "cluster" | "metrics" | "logs" | "clock" | "tempo">;

/** Asks every source within its own deadline. A source that gives no answer is itself evidence, never a failure. */
export async function collect(incident: Incident, ports: Asked): Promise<Observed> {
  const to = ports.clock.now();
  const from = new Date(to.getTime() - ports.tempo.lookbackMs);
  const range = { from: from.toISOString(), to: to.toISOString() };
  const threshold = await thresholdFor(incident, ports);
  const [workload, ...findings] = await Promise.all([
    answerOf(() => ports.cluster.workload(incident.workload)),
    ...questionsFor(incident.workload, threshold, ports, { from, to }).map(async (question) => ({
      ...question,
      finding: await findingOf(question.ask),
    })),
  ]);
  const entry =
    workload.kind === "answer" && workload.value
      ? await answerOf(() => ports.cluster.entryOf(workload.value as WorkloadState))
      : undefined;
  const seen = [
    {
      source: "alertmanager" as const,
      title: `alert ${incident.alert.name}`,
      query: "webhook",
      finding: alertFinding(incident),
    },
    {
      source: "kubernetes" as const,
      title: "state of the workload",
      query: `GET ${incident.workload.kind}`,
      finding: stateFinding(workload),
    },
    ...findings,
  ];
  const evidence = seen.map(({ source, title, query, finding }, index) =>
    evidenceOf(`E${index + 1}`, { source, title, query, finding, ...range }),
  );
  return {
    evidence,
    workload: workload.kind === "answer" ? workload.value : undefined,
    entry: entry?.kind === "answer" ? entry.value : undefined,
    threshold,
    value: lastValue(findings[0]?.finding, incident.workload),
  };
}

interface Question {
  readonly source: EvidenceSource;
  readonly title: string;
  readonly query: string;
  readonly ask: () => Promise<Finding>;
}

function questionsFor(
  workload: Workload,
  threshold: Threshold | undefined,
  ports: Asked,
  span: { from: Date; to: Date },
): Question[] {
  const window = ports.tempo.rateWindow;
  const here = `namespace="${workload.namespace}",deployment="${workload.name}"`;
  const pods = `namespace="${workload.namespace}",pod=~"${workload.name}-.*"`;
  const metric = (title: string, unit: string, query: string): Question => ({
    source: "prometheus",
    title,
    query,
    ask: async () => {
      const { series, notes } = await ports.metrics.range(query, span.from, span.to);
      return { kind: "series", unit, series: ofWorkload(series, workload), notes };
    },
  });
  return [
    ...(threshold === undefined ? [] : [metric("metric of the alert", "", threshold.query)]),
    metric("requests per second", "1/s", `sum(rate(request_total{direction="inbound",${here}}[${window}]))`),
    metric("CPU used", "cores", `sum(rate(container_cpu_usage_seconds_total{${pods}}[${window}]))`),
    metric("CPU requested", "cores", `sum(kube_pod_container_resource_requests{resource="cpu",${pods}})`),
    {
      source: "kubernetes",
      title: "events around the workload",
      query: `GET events ${workload.namespace}`,
      ask: async () => {
        const { events, notes } = await ports.cluster.surroundings(workload);
        return { kind: "text", lines: events, notes };
      },
    },
    ...logQuestion(workload, ports, span),
  ];
}

function logQuestion(workload: Workload, { logs }: Asked, span: { from: Date; to: Date }): Question[] {
  if (logs === undefined) return [];
  const ask = async (): Promise<Finding> => ({ kind: "text", ...(await logs.around(workload, span.from, span.to)) });
  return [{ source: "loki", title: "log lines", query: `logs of ${workload.namespace}/${workload.name}`, ask }];
}

async function thresholdFor(incident: Incident, { metrics }: Asked): Promise<Threshold | undefined> {
  const rule = await answerOf(() => metrics.ruleOf(incident.alert.name));
  return rule.kind === "answer" && rule.value ? thresholdOf(rule.value) : undefined;
}

/** Series that carry other workloads' names are theirs; a series without a name is ours by its query. */
function ofWorkload(series: readonly Series[], workload: Workload): readonly Series[] {
  return series.filter(({ labels }) => {
    const name = labels.deployment ?? labels.statefulset ?? workload.name;
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
  return answer.kind === "answer" ? answer.value : answer;
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
