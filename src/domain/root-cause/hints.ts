import type { Evidence, EvidenceKey } from "../evidence/evidence.ts";
import { type Workload, workloadKey } from "../kubernetes/workload.ts";
import { readPatternLine } from "./log-patterns.ts";
import type { Hint } from "./ranking/services.ts";

/** When the alert's condition began to hold, in unix seconds; undefined = not known. */
type Began = number | undefined;

/** Fewer than would name a workload alone: what stands near in time or nearby is no measurement. */
const mostWeight = 0.8;
const byChange: Readonly<Record<string, number>> = { image: 0.4, config: 0.4, resources: 0.3, replicas: 0.15 };
const rolloutWeight = 0.3;
/** A change that took effect longer before has little to do with it. */
const longestLagSeconds = 30 * 60;
/** Clocks differ, and a series has a resolution. */
const slackSeconds = 2 * 60;
/** Reasons of Kubernetes that say that a container does not run or does not answer. */
const grave =
  /^(BackOff|CrashLoopBackOff|Failed\w*|ErrImagePull|ImagePullBackOff|Unhealthy|OOMKill\w*|Evicted|InspectFailed)$/;
const eventWeight = { grave: 0.5, other: 0.2 };
/** What fails makes its callers write new lines, too. */
const patternWeight = { fresh: 0.4, frequent: 0.25 };

/** Changes, rollouts, events and log lines by the workload that they are about. */
export function hintsIn(
  home: Workload,
  evidence: readonly Evidence[],
  workloads: ReadonlyMap<string, Workload>,
  began: Began,
): ReadonlyMap<string, readonly Hint[]> {
  const found = new Map<string, Hint[]>();
  const add = (node: string, hint: Hint): void => {
    found.set(node, [...(found.get(node) ?? []), hint]);
  };
  for (const [node, hint] of changeHints(home, evidence, began)) add(node, hint);
  for (const [node, hint] of [...eventHints(evidence, workloads), ...logHints(evidence)]) add(node, hint);
  return new Map([...found].map(([node, hints]) => [node, capped(hints)]));
}

function capped(hints: readonly Hint[]): readonly Hint[] {
  const total = hints.reduce((sum, { weight }) => sum + weight, 0);
  const kept = Math.min(1, mostWeight / Math.max(total, Number.MIN_VALUE));
  return hints.map((hint) => ({ ...hint, weight: hint.weight * kept })).sort((a, b) => b.weight - a.weight);
}

function changeHints(home: Workload, evidence: readonly Evidence[], began: Began): (readonly [string, Hint])[] {
  const rollouts = factsOf(evidence, "rollouts").flatMap(([, time]) => {
    const fresh = freshnessOf(time, began);
    const because = "rolled out shortly before";
    return fresh > 0 ? [[workloadKey(home), { weight: rolloutWeight * fresh, because }] as const] : [];
  });
  const commits = factsOf(evidence, "commits").flatMap(([sha, said]) => {
    const [time = "", what = "", ...of] = said.split(" ");
    const weight = (byChange[what] ?? 0) * freshnessOf(time, began);
    const because = `commit ${sha.slice(0, 7)} changed its ${what} shortly before`;
    const touched = of.length === 0 ? [workloadKey(home)] : of;
    return weight > 0 && /^[0-9a-f]{40,64}$/.test(sha)
      ? touched.map((node) => [node, { weight, because }] as const)
      : [];
  });
  return [...newestOf(rollouts), ...newestOf(commits)];
}

/** Many changes of one workload are one sign. */
function newestOf(hints: readonly (readonly [string, Hint])[]): (readonly [string, Hint])[] {
  const best = new Map<string, Hint>();
  for (const [node, hint] of hints) if (hint.weight > (best.get(node)?.weight ?? 0)) best.set(node, hint);
  return [...best];
}

/** 1 = just before it began, 0 = long before or after. */
function freshnessOf(time: string, began: Began): number {
  const at = Date.parse(time) / 1000;
  if (Number.isNaN(at) || began === undefined) return 0;
  const lag = began - at;
  if (lag < -slackSeconds || lag > longestLagSeconds) return 0;
  return 1 - 0.5 * (Math.max(0, lag) / longestLagSeconds);
}

/** Lines as the cluster adapter writes them: `Warning BackOff web-5d4f6c7b8-x2x9p: …`. */
function eventHints(
  evidence: readonly Evidence[],
  workloads: ReadonlyMap<string, Workload>,
): (readonly [string, Hint])[] {
  const lines = evidence.flatMap(({ key, finding }) =>
    key === "events" && finding.kind === "text" ? finding.lines : [],
  );
  const events = lines.flatMap((line) => {
    const [type, reason = "", object = ""] = line.split(" ");
    return type === "Warning" ? [{ reason, object: object.replace(/:$/, "") }] : [];
  });
  return [...workloads].flatMap(([node, { name }]): (readonly [string, Hint])[] => {
    const mine = events.filter(({ object }) => isOf(object, name));
    const worst = mine.find(({ reason }) => grave.test(reason)) ?? mine[0];
    if (!worst) return [];
    const weight = grave.test(worst.reason) ? eventWeight.grave : eventWeight.other;
    // The reason of an event is any text that a controller wrote: only a word is repeated.
    const word = /^[A-Za-z]{1,40}$/.test(worst.reason) ? `, ${worst.reason} among them` : "";
    return [[node, { weight, because: `${mine.length} warnings of Kubernetes about it${word}` }]];
  });
}

/** Many kinds of lines are one sign: a program that is in trouble writes of it in many words. */
function logHints(evidence: readonly Evidence[]): (readonly [string, Hint])[] {
  const kinds = evidence.flatMap(({ id, key, finding }) =>
    key === "log-patterns" && finding.kind === "text"
      ? finding.lines.flatMap((line) => ({ id, read: readPatternLine(line) }))
      : [],
  );
  return [...new Set(kinds.flatMap(({ read }) => read?.node ?? []))].map((node) => {
    const mine = kinds.filter(({ read }) => read?.node === node);
    const weight = mine.some(({ read }) => read?.isNew) ? patternWeight.fresh : patternWeight.frequent;
    const because = `kinds of log lines that are new or far more frequent: ${mine.length}`;
    return [node, { weight, because, from: mine.map(({ id }) => id) }];
  });
}

/** The workload itself, or what its controllers name after it: a ReplicaSet, a pod. */
function isOf(object: string, name: string): boolean {
  if (object === name) return true;
  const rest = object.startsWith(`${name}-`) ? object.slice(name.length + 1) : "";
  return /^([a-z0-9]{6,10}|[a-z0-9]{6,10}-[a-z0-9]{5}|\d+)$/.test(rest);
}

function factsOf(evidence: readonly Evidence[], key: EvidenceKey): (readonly [string, string])[] {
  return evidence.flatMap((item) =>
    item.key === key && item.finding.kind === "facts"
      ? Object.entries(item.finding.facts).map(([name, value]) => [name, String(value)] as const)
      : [],
  );
}
