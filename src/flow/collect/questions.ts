import type { EvidenceKey, EvidenceSource, Finding, Series } from "../../domain/evidence/evidence.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import { dialectSeries, type PromQuestion, promQuestions } from "../../domain/evidence/prom-queries.ts";
import { dependencySeries } from "../../domain/root-cause/service-graph.ts";
import { gapNotes } from "../../domain/evidence/series-gaps.ts";
import { ownerKeyOf } from "../../domain/evidence/series.ts";
import type { WorkloadState } from "../../domain/kubernetes/workload-state.ts";
import { type Workload, workloadKey } from "../../domain/kubernetes/workload.ts";
import type { Ports } from "../../ports/ports.ts";
import { guardrailsOf } from "./load-guardrails.ts";
import { runbookFinding } from "./load-runbooks.ts";
import { type HistoryPorts, pastRenderings, recentCommits } from "./commits/recent-commits.ts";
import { suspectCommits } from "./commits/suspects.ts";

export type CollectSources = Pick<
  Ports,
  | "cluster"
  | "metrics"
  | "logs"
  | "concerns"
  | "clock"
  | "withTimeout"
  | "timings"
  | "github"
  | "renderer"
  | "telemetry"
  | "records"
>;

/** One thing to find out. `ask` throws like every adapter; the caller turns that into evidence. */
export interface SourceQuestion {
  readonly key?: EvidenceKey | undefined;
  readonly source: EvidenceSource;
  readonly title: string;
  readonly query: string;
  /** Nobody misses it where there is no such thing: an empty answer is then no item of evidence. */
  readonly optional?: true;
  readonly ask: () => Promise<Asked>;
}

/** `query` tells which of several ways of asking gave the answer. */
export type Asked = Finding & { readonly query?: string };

export interface Span {
  readonly from: Date;
  readonly to: Date;
}

/** Everything that is asked about an incident once the state of its workload is known, or known to be unknown. */
export function questionsFor(
  incident: Incident,
  state: WorkloadState | undefined,
  ports: CollectSources,
  span: Span,
): readonly SourceQuestion[] {
  const { workload } = incident;
  const { github, cluster } = ports;
  const history = { github, cluster, renderedAt: pastRenderings(ports) };
  return [
    ...promQuestions(workload, ports.timings.rateWindow).map((asked) => metricQuestion(asked, workload, ports, span)),
    ...clusterQuestions(incident, ports),
    ...logQuestions(workload, ports, span),
    runbookQuestion(incident, ports),
    dependencyQuestion(workload, ports, span),
    appliedQuestion(state, ports),
    commitQuestion(workload, state, history, span),
    suspectQuestion(workload, state, history, span),
  ];
}

// A namespace with more workloads than this is shown in part, and says so.
const mostSeries = 200;

// What is read as the state of the workload now. A quantile, or a call, without traffic has no value, and that is no gap.
const currentKeys: ReadonlySet<EvidenceKey> = new Set([
  ...(["requests", "cpu-used", "cpu-requested", "memory-used", "memory-limit", "restarts"] as const),
]);

/** What the series of the workload lack in this range. */
export function gapsIn(series: readonly Series[], home: Workload, { from, to }: Span): readonly string[] {
  const [start, end] = [from.getTime() / 1000, to.getTime() / 1000];
  return gapNotes(series, { home, from: start, to: end, step: (end - start) / fewestPoints });
}

// However coarse an answer is, its source was asked for this many points.
const fewestPoints = 30;

function metricQuestion(
  { key, title, unit, dialects, metric, optional }: PromQuestion,
  workload: Workload,
  ports: CollectSources,
  span: Span,
): SourceQuestion {
  const ask = async (): Promise<Asked> => {
    const notes: string[] = [];
    for (const dialect of dialects) {
      const { query } = dialect;
      const answer = await ports.metrics.range(query, span.from, span.to);
      notes.push(...answer.notes);
      const found = dialectSeries(answer.series, dialect);
      if (found.length === 0) continue;
      const marked =
        metric === undefined || key !== "node-metrics" ? found : found.map((item) => marking(item, metric));
      const cut = found.length > mostSeries ? [`${found.length - mostSeries} more series were left out`] : [];
      const gaps = currentKeys.has(key) ? gapsIn(found, workload, { ...span, to: answer.until ?? span.to }) : [];
      return {
        kind: "series",
        unit,
        series: ownFirst(marked, workload).slice(0, mostSeries),
        notes: [...notes, ...gaps, ...cut],
        query,
      };
    }
    return { kind: "series", unit, series: [], notes };
  };
  const query = dialects[0]?.query ?? "";
  return { key, source: "prometheus", title, query, ask, ...(optional ? { optional } : {}) };
}

/** Whatever has to be left out of a large namespace, the workload that hurts is there. */
function ownFirst(series: readonly Series[], home: Workload): readonly Series[] {
  if (series.length <= mostSeries) return series;
  const isOwn = ({ labels }: Series) => ownerKeyOf(labels, home) === workloadKey(home);
  return [...series.filter(isOwn), ...series.filter((one) => !isOwn(one))];
}

/** The series under a name that the ranking over the service graph knows. */
export function marking({ labels, points }: Series, metric: string): Series {
  return { labels: { ...labels, metric }, points };
}

function clusterQuestions({ workload }: Incident, { cluster, clock, timings }: CollectSources): SourceQuestion[] {
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
      ...{ key: "pod-states", source, title: "what keeps pods from running", query: `GET pods ${namespace}` },
      optional: true,
      ask: async () => ({ kind: "facts", facts: (await around()).podStates ?? {}, notes: [] }),
    },
    {
      ...{ key: "oom-kills", source, title: "containers killed for memory", query: `GET pods ${namespace}` },
      ask: async () => {
        const since = clock.now().getTime() - timings.lookbackMs;
        // Kubernetes remembers the last kill for as long as the pod lives: an old one explains nothing of today.
        const killed = (await around()).terminations.filter(
          ({ reason, at }) => reason === "OOMKilled" && (at === undefined || Date.parse(at) >= since),
        );
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

function logQuestions(workload: Workload, { logs }: CollectSources, { from, to }: Span): SourceQuestion[] {
  if (logs === undefined) return [];
  const query = `logs of ${workload.namespace}/${workload.name}`;
  return [
    {
      ...{ key: "logs", source: "loki", title: "log lines", query },
      ask: async () => ({ kind: "text", ...(await logs.around(workload, from, to)) }),
    },
    {
      ...{ key: "log-errors", source: "loki", title: "log lines that look like errors", query },
      ask: async () => ({ kind: "series", unit: "1/s", ...(await logs.errorRate(workload, from, to)) }),
    },
  ];
}

function commitQuestion(
  workload: Workload,
  state: WorkloadState | undefined,
  ports: HistoryPorts,
  { from }: Span,
): SourceQuestion {
  const query = `git log --since=${from.toISOString()}`;
  const ask = async (): Promise<Finding> => recentCommits(workload, state, from, ports);
  return { key: "commits", source: "git", title: "commits that changed the workload", query, ask };
}

function suspectQuestion(
  workload: Workload,
  state: WorkloadState | undefined,
  ports: HistoryPorts,
  { from }: Span,
): SourceQuestion {
  const query = `git log --since=${from.toISOString()}, rendered`;
  const ask = async (): Promise<Finding> => suspectCommits(workload, state, from, ports);
  return { key: "suspects", source: "git", title: "commits that changed what bears on it", query, optional: true, ask };
}

function appliedQuestion(state: WorkloadState | undefined, { cluster }: CollectSources): SourceQuestion {
  const ask = async (): Promise<Finding> => {
    if (state === undefined) return { kind: "missing", because: "the workload is not known, so its controller is not" };
    const entry = await cluster.entryOf(state);
    const revision = await cluster.appliedRevision(entry);
    if (revision.kind === "unknown") return { kind: "missing", because: revision.because };
    const facts = { controller: entry.object ?? entry.tool, path: entry.path ?? "unknown", commit: revision.sha };
    return { kind: "facts", facts, notes: [] };
  };
  const query = "status of the GitOps controller's object";
  return { key: "applied-revision", source: "gitops", title: "commit that the controller applied last", query, ask };
}

function runbookQuestion({ alert }: Incident, { github }: CollectSources): SourceQuestion {
  const ask = async (): Promise<Finding> => runbookFinding((await github.head()).tree, alert.name);
  const query = "runbooks/*.md of the default branch";
  return { source: "runbook", title: `runbooks of ${alert.name}`, query, optional: true, ask };
}

/** What people wrote down of who calls whom: a graph where nothing measures one. */
function dependencyQuestion(workload: Workload, { github }: CollectSources, { to }: Span): SourceQuestion {
  const ask = async (): Promise<Finding> => {
    const guardrails = await guardrailsOf({ github });
    const declared = guardrails.ok ? guardrails.value.dependencies : {};
    const series = dependencySeries(declared, workload, to.getTime() / 1000);
    return { kind: "series", unit: "declared", series, notes: [] };
  };
  const query = "guardrails of the default branch: dependencies";
  return { key: "calls", source: "git", title: "who calls whom, as declared", query, optional: true, ask };
}
