import type { EvidenceKey } from "../../../src/domain/evidence/evidence.ts";
import { type Evidence, evidenceOf, type Finding, type Series } from "../../../src/domain/evidence/evidence.ts";
import { type Incident, openIncident } from "../../../src/domain/incident/incident.ts";
import type { Workload } from "../../../src/domain/kubernetes/workload.ts";
import type { Column, Scenario, Table } from "./data.ts";

/** What the line would know of one incident. */
export interface Asked {
  readonly scenario: Scenario;
  readonly symptom: { readonly node: string; readonly metric: string; readonly statistic: string };
  readonly normal: Table;
  readonly abnormal: Table;
  /** The same two of the services' own view. */
  readonly own?: { readonly normal: Table; readonly abnormal: Table } | undefined;
}

const namespace = "bench";
const workloadOf = (name: string): Workload => ({ kind: "Deployment", namespace, name });

/**
 * The incident and its evidence as the line's own collection writes it. The alert fires at the last point: when the
 * trouble began is not told.
 */
export function evidenceFor(asked: Asked): { readonly incident: Incident; readonly evidence: readonly Evidence[] } {
  const end = asked.abnormal.times.at(-1) ?? 0;
  const startsAt = new Date(end * 1000).toISOString();
  const incident = openIncident("bench", workloadOf(asked.symptom.node), {
    ...{ fingerprint: "bench", name: "Symptom", status: "firing", annotations: {}, startsAt, generatorUrl: "" },
    labels: { severity: "critical", namespace, deployment: asked.symptom.node },
  });
  const calls = asked.scenario.calls.map(({ caller, callee }) => ({
    labels: { namespace, deployment: caller, dst_deployment: callee },
    points: [[end, 1]] as const,
  }));
  const byKey = new Map<EvidenceKey, Series[]>([["calls", calls]]);
  for (const [key, series] of measuredIn(asked)) byKey.set(key, [...(byKey.get(key) ?? []), series]);
  const found = [...byKey].map(([key, series]) => [key, { kind: "series", unit: "", series, notes: [] }] as const);
  const alert: Finding = { kind: "facts", facts: { alertname: "Symptom", startsAt }, notes: [] };
  const items: readonly (readonly [EvidenceKey, Finding])[] = [["alert", alert], ...found];
  const evidence = items.map(([key, finding], index) =>
    evidenceOf(`E${index + 1}`, {
      ...{ source: "prometheus", key, title: key, query: key, from: startsAt, to: startsAt, finding },
    }),
  );
  return { incident, evidence };
}

function measuredIn({ scenario, symptom, normal, abnormal, own }: Asked): [EvidenceKey, Series][] {
  const seen = own ? "latency-seen" : "latency";
  const mine = seriesIn({ normal, abnormal, latency: symptom, as: seen, roles: scenario.nodes });
  if (!own) return mine;
  const theirs = seriesIn({ ...own, latency: symptom, as: "latency", roles: scenario.nodes });
  return [...mine, ...theirs.filter(([, { labels }]) => labels.metric === "latency")];
}

interface Pair {
  readonly normal: Table;
  readonly abnormal: Table;
  readonly latency: { readonly metric: string; readonly statistic: string };
  readonly as: string;
  readonly roles: readonly string[];
}

function seriesIn({ normal, abnormal, latency, as }: Pair): [EvidenceKey, Series][] {
  const step = stepOf(abnormal.times) ?? stepOf(normal.times) ?? 60;
  const wanted = latency.metric === "latency" ? latency.statistic : "Average";
  const groups = new Map<string, Column[]>();
  for (const column of abnormal.columns) {
    const key = JSON.stringify([column.node, column.metric]);
    groups.set(key, [...(groups.get(key) ?? []), column]);
  }
  return [...groups.values()].flatMap((columns): [EvidenceKey, Series][] => {
    const column = columns.find(({ statistic }) => statistic === wanted) ?? columns[0];
    const known = column && meaningOf(column.metric);
    if (!column || !known) return [];
    const usual = normal.columns.find(
      ({ node, metric, statistic }) =>
        node === column.node && metric === column.metric && statistic === column.statistic,
    );
    if (!usual) return [];
    const metric = known.metric === "latency" ? as : known.metric;
    const role = roleOfName(column.node);
    const labels = { namespace, deployment: column.node, metric, ...(role === undefined ? {} : { role }) };
    return [[known.key, { labels, points: pointsOf({ usual, column, normal, abnormal, step }, known.metric) }]];
  });
}

interface Timed {
  readonly usual: Column;
  readonly column: Column;
  readonly normal: Table;
  readonly abnormal: Table;
  readonly step: number;
}

/** A hole that the ranker sees: the normal period is another day, and not what came just before. */
const holeSteps = 1000;

function pointsOf({ usual, column, normal, abnormal, step }: Timed, metric: string): Series["points"] {
  const begin = (abnormal.times[0] ?? 0) - (holeSteps + normal.times.length) * step;
  const highest = usual.values.reduce((most, value) => (value > most ? value : most), 0);
  const unit = metric === "requests" || metric === "errors" ? 1 / step : isShare(metric) && highest > 1.5 ? 0.01 : 1;
  const early = Array.from(usual.values, (value, index) => [begin + index * step, value * unit] as const);
  const late = Array.from(column.values, (value, at) => [abnormal.times[at] ?? 0, value * unit] as const);
  return [...early, ...late].filter(([, value]) => Number.isFinite(value));
}

function isShare(metric: string): boolean {
  return metric === "availability" || metric === "error-share";
}

function stepOf(times: readonly number[]): number | undefined {
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  return steps.sort((a, b) => a - b)[steps.length >> 1];
}

/** What a metric's name means, in the words of the evidence. What is no word of traffic is the use of a resource. */
const meanings: readonly (readonly [RegExp, EvidenceKey, string])[] = [
  [/latency|duration|response.?time|^p\d{2}$/i, "node-metrics", "latency"],
  [/availability|success/i, "node-metrics", "availability"],
  [/error.?(share|rate|ratio)/i, "node-metrics", "error-share"],
  [/error|fail/i, "node-metrics", "errors"],
  [/request|workload|throughput|traffic|^(rps|qps|load)$/i, "node-metrics", "requests"],
  [/cpu/i, "cpu-used", "cpu"],
  [/mem/i, "memory-used", "memory"],
];

function meaningOf(name: string): { readonly key: EvidenceKey; readonly metric: string } | undefined {
  if (name === "") return undefined;
  const found = meanings.find(([words]) => words.test(name));
  return found ? { key: found[1], metric: found[2] } : { key: "resource-use", metric: name };
}

/** X-Ray ends the name of a node with its type; `remote` = called, but not traced itself. */
function roleOfName(node: string): "proxy" | "external" | undefined {
  if (/\.elb\.|_client$/.test(node)) return "proxy";
  return node.endsWith("_remote") ? "external" : undefined;
}
