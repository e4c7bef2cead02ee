import { renderValue } from "../../evidence/unit.ts";
import { isReachedFrom, type Neighbours, neighboursOf, roleOf, type ServiceGraph } from "../service-graph.ts";
import {
  type Anomaly,
  anomalyIn,
  type NodeSeries,
  normalWindowsOf,
  type Profile,
  profileOf,
  type Showing,
  type Window,
} from "./anomaly.ts";
import { rankCauses } from "./attribution.ts";
import { excuseOf, type Observed } from "./excuse.ts";
import { type CallRatio, callRatios, lostCalls, requestsIn } from "./lost-calls.ts";
import type { MetricKind, NodeMetric } from "./node-metric.ts";

/** Evidence that is no series: a rollout, an event, a new line in the log. */
export interface Hint {
  /** In the unit of the score: 1 would name the service alone. */
  readonly weight: number;
  readonly because: string;
  /** The evidence that shows it. */
  readonly from?: readonly string[];
}

/** What to rank: all series share their points in time. */
export interface ServicesInput {
  readonly graph: ServiceGraph;
  readonly series: ReadonlyMap<string, readonly NodeSeries[]>;
  /** Where it hurts. */
  readonly symptom: string;
  /** Where the incident may lie, likeliest first. */
  readonly windows: readonly Window[];
  readonly hints?: ReadonlyMap<string, readonly Hint[]>;
}

/** A service that may be where the trouble arises. */
export interface RankedService {
  readonly node: string;
  /** 1 = worse than the worst that the normal period of the whole system shows. */
  readonly score: number;
  /** True when its callers see it slow or failing and it does not itself: the trouble lies between them. */
  readonly link: boolean;
  /** For people, clearest sign first. */
  readonly because: readonly string[];
  /** The evidence of the hints. */
  readonly from: readonly string[];
}

/** A node seen only by its callers, or one that passes calls on, yields to a node that measures itself. */
const roleWeight = { service: 1, proxy: 0.4, external: 0.6 };
/** What the symptom's node does not call, as far as anyone saw. */
const strangerWeight = 0.5;
/** A resource that is used more, where nothing that its users feel is off. */
const idleUsageWeight = 0.5;
/** The share of the symptom that arises in a node counts as twice the threshold, as far as the symptom itself is clear. */
const shareWeight = 2;
/** How much worse than the worst of the normal windows the system must be. */
const margin = 1.2;
const worstQuantile = 0.95;
const levelLead = 1.5;
const mostSigns = 4;
/** What users feel. */
const symptomKinds: readonly MetricKind[] = ["latency", "availability", "errors"];

/**
 * Ranks the services by all that was measured: how far each series is beyond the worst of its own normal period, less
 * what the services below explain; how much of the symptom arises where; and the hints. Nothing of it needs the symptom
 * itself to be measured, and no change point: each window is tried, and the clearest one answers.
 */
export function rankServices(input: ServicesInput): readonly RankedService[] {
  const normalEnd = Math.min(...input.windows.map(({ start }) => start));
  const first = input.windows[0];
  if (first === undefined) return [];
  const neighbours = neighboursOf(input.graph);
  const profiles = new Map(
    [...input.series].map(([node, series]) => [node, profilesOf(series, normalEnd, requestsIn(series, first))]),
  );
  const learned = { neighbours, profiles, ratios: callRatios(input.series, neighbours, normalEnd) };
  const tries = (shownBy: Showing) =>
    input.windows
      .filter((window) => (window.shownBy ?? "step") === shownBy)
      .map((window) => rankedIn(input, learned, window));
  const steps = clearest(tries("step"));
  const levels = clearest(tries("level"));
  // A step says more than a level: where one is clear, a level must be clearer by far.
  const isClear = scoreOf(steps) >= 1 && scoreOf(levels) < levelLead * scoreOf(steps);
  return isClear ? steps : clearest([steps, levels]);
}

type Ranked = readonly RankedService[];

function clearest(tries: readonly Ranked[]): Ranked {
  return tries.reduce((best, each) => (scoreOf(each) > scoreOf(best) ? each : best), []);
}

function scoreOf([first]: Ranked): number {
  return first?.score ?? 0;
}

/** What the normal period taught. */
interface Learned {
  readonly neighbours: Neighbours;
  readonly profiles: ReadonlyMap<string, readonly Profile[]>;
  readonly ratios: readonly CallRatio[];
}

function rankedIn(input: ServicesInput, learned: Learned, window: Window): readonly RankedService[] {
  const { neighbours, profiles, ratios } = learned;
  const normal = normalWindowsOf(window);
  const requests = new Map([...input.series].map(([node, series]) => [node, requestsIn(series, window)]));
  const anomalies = new Map(
    [...profiles].map(([node, list]) => [node, list.map((profile) => anomalyIn(profile, window, normal))]),
  );
  for (const [node, lost] of lostCalls(ratios, window, normal)) anomalies.get(node)?.push(lost);
  const weights = weightsOf(input, neighbours);
  const threshold = thresholdOf(anomalies, weights);
  const observed: Observed = { anomalies, requests, neighbours, threshold };
  const shares = sharesOf(input, window, anomalies);
  return [...anomalies.keys()]
    .map((node) => serviceOf(node, { input, observed, weight: weights.get(node) ?? 0, share: shares.get(node) ?? 0 }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
}

function profilesOf(series: readonly NodeSeries[], normalEnd: number, requests: number | undefined): Profile[] {
  return series.flatMap((each) => {
    const profile = each.kind === "requests" ? undefined : profileOf(each, normalEnd, requests);
    return profile ? [profile] : [];
  });
}

/** Nodes that the symptom's node calls count in full. */
function weightsOf({ graph, series, symptom }: ServicesInput, neighbours: Neighbours) {
  const isReached = isReachedFrom(symptom, graph, neighbours);
  return new Map(
    [...series.keys()].map((node) => [node, roleWeight[roleOf(graph, node)] * (isReached(node) ? 1 : strangerWeight)]),
  );
}

/** What the worst series of the whole system reaches in the worst of the normal windows. */
function thresholdOf(anomalies: ReadonlyMap<string, readonly Anomaly[]>, weights: ReadonlyMap<string, number>): number {
  const worst: number[] = [];
  for (const [node, list] of anomalies) {
    const weight = weights.get(node) ?? 0;
    for (const { normal } of list) {
      for (let index = 0; index < normal.length; index += 1) {
        worst[index] = Math.max(worst[index] ?? 0, (normal[index] ?? 0) * weight);
      }
    }
  }
  const sorted = Float64Array.from(worst).sort();
  return margin * Math.max(1, sorted[Math.floor(worstQuantile * sorted.length)] ?? 1);
}

/** How much of the symptom arises where, as far as the symptom is beyond the worst of its own normal period. */
function sharesOf(
  { graph, series, symptom: node }: ServicesInput,
  window: Window,
  anomalies: ReadonlyMap<string, readonly Anomaly[]>,
): ReadonlyMap<string, number> {
  const own = (anomalies.get(node) ?? []).filter(({ kind }) => symptomKinds.includes(kind));
  const symptom = own.sort((a, b) => b.strength - a.strength)[0];
  if (!symptom || symptom.strength === 0) return new Map();
  const clear = Math.min(1, symptom.strength) ** 2;
  const metrics = new Map([...series].map(([key, list]) => [key, list.map((each) => splitAt(each, window))]));
  const ranking = rankCauses({ graph, metrics, symptom: { node, kind: symptom.kind } });
  return new Map(ranking.kind === "ranked" ? ranking.causes.map((cause) => [cause.node, cause.score * clear]) : []);
}

function splitAt({ kind, values }: NodeSeries, { start, end }: Window): NodeMetric {
  const all = values instanceof Float64Array ? values : Float64Array.from(values);
  return { kind, normal: all.subarray(0, start), abnormal: all.subarray(start, end) };
}

interface Weighed {
  readonly input: ServicesInput;
  readonly observed: Observed;
  readonly weight: number;
  readonly share: number;
}

function serviceOf(node: string, { input, observed, weight, share }: Weighed): RankedService {
  const { threshold } = observed;
  const list = observed.anomalies.get(node) ?? [];
  const felt = list.some(({ kind }) => kind !== "usage" && kind !== "saturation" && kind !== "calls");
  const hurts = list.some(({ kind, strength }) => kind !== "usage" && kind !== "calls" && strength >= threshold / 2);
  const signs = list
    .map((anomaly) => {
      const idle = anomaly.kind === "usage" && felt && !hurts ? idleUsageWeight : 1;
      return { anomaly, value: (anomaly.strength * idle * excuseOf(node, anomaly, observed)) / threshold };
    })
    .sort((a, b) => b.value - a.value);
  const hints = input.hints?.get(node) ?? [];
  const measured = (signs[0]?.value ?? 0) * weight + shareWeight * share;
  return {
    node,
    score: measured + hints.reduce((sum, hint) => sum + hint.weight, 0) * weight,
    link: isLink(list, threshold),
    because: [
      ...[
        ...signs.filter(({ value }) => value >= 0.3).map(({ anomaly }) => textOf(anomaly)),
        ...(share >= 0.1 ? [`${Math.round(share * 100)} % of the symptom arises here and not in what it calls`] : []),
      ].slice(0, mostSigns - Math.min(1, hints.length)),
      ...hints.map(({ because }) => because),
    ].slice(0, mostSigns),
    from: [...new Set(hints.flatMap((hint) => hint.from ?? []))],
  };
}

/** The same measurement from both ends of the calls: only the callers see it off. */
function isLink(list: readonly Anomaly[], threshold: number): boolean {
  return (["latency", "availability", "errors"] as const).some((kind) => {
    const [seen, own] = [true, false].map((byCallers) =>
      list.find((anomaly) => anomaly.kind === kind && anomaly.what.endsWith(asSeen) === byCallers),
    );
    return seen !== undefined && own !== undefined && seen.strength >= threshold && own.strength < threshold / 2;
  });
}

/** Ends the name of a measurement that was made where the calls come from. */
export const asSeen = "as callers see it";

function textOf({ what, usual, seen, strength, unit = "" }: Anomaly): string {
  return `${what} ${renderValue(seen, unit)} instead of ${renderValue(usual, unit)} (${shown(strength)} times the worst of a normal period)`;
}

function shown(value: number): string {
  return String(Number(value.toPrecision(3)));
}
