import type { Neighbours } from "../service-graph.ts";
import {
  type Anomaly,
  anomalyIn,
  type NodeSeries,
  type NormalWindows,
  type Profile,
  profileOf,
  type Window,
} from "./anomaly.ts";
import { lostByIt } from "./excuse.ts";

/** A service that is called less, while its callers are asked as before, is more often not called than not there. */
const calleeWeight = 0.6;

/** The mean of the requests in the window, intervals without any left out; undefined = not measured. */
export function requestsIn(series: readonly NodeSeries[], { start, end }: Window): number | undefined {
  const values = series.find(({ kind }) => kind === "requests")?.values;
  if (!values) return undefined;
  let sum = 0;
  let count = 0;
  for (let index = start; index < end; index += 1) {
    const value = values[index] ?? Number.NaN;
    if (!(value > 0)) continue;
    sum += value;
    count += 1;
  }
  return count === 0 ? 0 : sum / count;
}

/** The calls of one service for each request of its callers. */
export interface CallRatio {
  readonly callee: string;
  readonly callers: readonly string[];
  readonly profile: Profile;
}

/** Learns how often services are called for each request of their callers, where both were measured. */
export function callRatios(
  series: ReadonlyMap<string, readonly NodeSeries[]>,
  { callers }: Neighbours,
  normalEnd: number,
): readonly CallRatio[] {
  const requestsOf = (node: string) => series.get(node)?.find(({ kind }) => kind === "requests")?.values;
  return [...series.keys()].flatMap((callee) => {
    const mine = requestsOf(callee);
    const from = (callers.get(callee) ?? []).filter((caller) => requestsOf(caller) !== undefined);
    if (!mine || from.length === 0) return [];
    const asked = new Float64Array(mine.length);
    for (const caller of from) {
      const theirs = requestsOf(caller) ?? [];
      for (let at = 0; at < asked.length; at += 1) asked[at] = (asked[at] ?? 0) + finite(theirs[at]);
    }
    const values = asked.map((whole, at) => (whole > 0 ? finite(mine[at]) / whole : Number.NaN));
    const profile = profileOf({ what: lostByIt, kind: "calls", values }, normalEnd);
    return profile && profile.usual.median !== 0 ? [{ callee, callers: from, profile }] : [];
  });
}

/** Services whose callers go on and no longer call them: signs for both ends, the caller first. */
export function lostCalls(
  ratios: readonly CallRatio[],
  window: Window,
  normal: NormalWindows,
): readonly (readonly [node: string, anomaly: Anomaly])[] {
  return ratios.flatMap(({ callee, callers, profile }) => {
    const anomaly = anomalyIn(profile, window, normal);
    const signs = callers.map((caller) => {
      const strength = anomaly.strength / callers.length;
      return [caller, { ...anomaly, strength, normal: [], what: `calls to ${callee} for each request` }] as const;
    });
    return [[callee, { ...anomaly, strength: anomaly.strength * calleeWeight }] as const, ...signs];
  });
}

function finite(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) ? value : 0;
}
