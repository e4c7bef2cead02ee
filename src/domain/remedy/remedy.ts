import type { Cause } from "../root-cause/cause.ts";
import { nextStepOf } from "../root-cause/changes/cause-names.ts";
import { nameOf } from "../root-cause/changes/name-of.ts";
import type { Evidence, EvidenceKey } from "../evidence/evidence.ts";
import type { Guardrails } from "../guardrails/guardrails.ts";
import type { ResourceField, WantedChange } from "../kubernetes/manifest-edit.ts";
import { parseQuantity } from "../kubernetes/quantity.ts";
import { podsWithin, resourceWithin } from "./quota-room.ts";
import { seriesOf } from "../evidence/series.ts";
import type { CommitReversal, Remediation } from "../kubernetes/remediation.ts";
import { sizeMaxReplicas, sizeReplicas, sizeResources, type Sizing } from "./sizing.ts";
import type { WorkloadState } from "../kubernetes/workload-state.ts";
import type { Workload } from "../kubernetes/workload.ts";

/** What a remedy is computed from. `home` is the workload that alerts: series without names are its own. */
export interface RemedyInput {
  readonly cause: Cause;
  readonly state: WorkloadState | undefined;
  readonly evidence: readonly Evidence[];
  readonly home: Workload;
  /** The alert's metric against its limit, where the cause is in the alerting workload itself. */
  readonly metric: { readonly value: number; readonly limit: number } | undefined;
  readonly guardrails: Guardrails;
  /** The utilisation to aim at, 0 to 1, where a runbook names one. */
  readonly target?: number | undefined;
  /** The field to resize and the room above the peak, where a runbook names them. */
  readonly resize?: { readonly field: ResourceField; readonly headroom?: number | undefined } | undefined;
}

/** The one change that answers a cause, with its number and the arithmetic, or why there is none. */
export type Remedy =
  | { readonly kind: "change"; readonly remediation: Remediation }
  | { readonly kind: "none"; readonly because: string };

/** Cause → remediation of the closed list; every number is computed here and nowhere else. */
export function remedyFor(input: RemedyInput): Remedy {
  const { cause, state } = input;
  if (cause.remedies.length === 0) return none(`${cause.sentence}: ${withoutField(cause)}`);
  if (state === undefined) return none("the workload to act on is not on the cluster");
  if (cause.remedies.includes("revert-commit")) return reversing(input);
  const resized = cause.remedies.includes("resources") ? resizing(input, state) : undefined;
  if (resized?.kind === "change" || !cause.remedies.includes("scale"))
    return resized ?? none(`${cause.sentence}: its remedy needs a person`);
  return scaling(input, state);
}

/** No field of Git helps: what a person could do. */
function withoutField(cause: Cause): string {
  return `no field that Rectify may change fixes this. Next step: ${nextStepOf(nameOf(cause))}`;
}

/** A container that is held back or killed by its own limit gets another one, from what it was measured to use. */
function resizing(input: RemedyInput, state: WorkloadState): Remedy {
  const { cause, guardrails, evidence } = input;
  const outOfMemory = cause.kind === "out-of-memory";
  const { field = outOfMemory ? "limits.memory" : "limits.cpu", headroom } = input.resize ?? {};
  const current = state.resources?.[field];
  if (current === undefined) return none(`${field} of ${cause.workload.name} is not set, or it has several containers`);
  const isMemory = field.endsWith(".memory");
  const room = resourceWithin(evidence, field);
  const most = isMemory ? guardrails.maxMemory : guardrails.maxCpu;
  const max = room === undefined ? most : withinRoom({ most, current, room: room.amount / state.replicas, isMemory });
  const bounds = { max, growthLimit: guardrails.growthLimit };
  const sized = sizeResources({ field, current, peak: peakOf(input, state, isMemory), outOfMemory, headroom, bounds });
  if (sized.kind === "abstained") return none(sized.because);
  const sizing = [...sized.arithmetic, ...(room === undefined || max === most ? [] : [room.line])];
  const { kind, namespace, name } = cause.workload;
  const change = { kind: "resources", field, to: sized.to } as const;
  const workload = { kind, namespace, name };
  return { kind: "change", remediation: { kind: "resources", workload, change, from: current, to: sized.to, sizing } };
}

/** The highest use of one container: memory is measured so, CPU as the sum over the replicas. */
function peakOf({ evidence, cause, home }: RemedyInput, { replicas }: WorkloadState, isMemory: boolean) {
  const key = isMemory ? "memory-used" : "cpu-used";
  const highest = seriesOf(evidence, { key, workload: cause.workload, home })?.highest;
  return highest === undefined || isMemory ? highest : highest / Math.max(1, replicas);
}

interface Room {
  readonly most: string;
  readonly current: string;
  /** What the quota leaves for each container, in cores or bytes. */
  readonly room: number;
  readonly isMemory: boolean;
}

/** The bound of the guardrails, or what the quota leaves for each container where that is less. */
function withinRoom({ most, current, room, isMemory }: Room): string {
  const allowed = (parseQuantity(current) ?? 0) + room;
  if (allowed >= (parseQuantity(most) ?? 0)) return most;
  return isMemory ? `${Math.floor(allowed / 2 ** 20)}Mi` : `${Math.floor(allowed * 1000 + 1e-9)}m`;
}

/** The commit behind the cause is reverted: its hunks of the workload and of what that stands on. */
function reversing({ cause }: RemedyInput): Remedy {
  if (cause.commit === undefined) return none("no commit is known that caused it");
  const { kind, namespace, name } = cause.workload;
  const short = cause.commit.slice(0, 7);
  const [from, to] = [`commit ${short}`, `the state before commit ${short}`];
  const change: CommitReversal = { kind: "commit", sha: cause.commit, scope: "workload", to };
  const sizing = [`every field that commit ${short} changed goes back to what it was; later changes stay`];
  return {
    kind: "change",
    remediation: { kind: "revert-commit", workload: { kind, namespace, name }, change, from, to, sizing },
  };
}

function scaling(input: RemedyInput, state: WorkloadState): Remedy {
  const { cause, guardrails, metric } = input;
  const scaler = state.scaledBy;
  const current = scaler ? scaler.max : state.replicas;
  const { minReplicas: min, growthLimit } = guardrails;
  const room = podsWithin(input.evidence, state.resources ?? {});
  const max = Math.min(
    guardrails.maxReplicas,
    room === undefined ? Number.POSITIVE_INFINITY : state.replicas + room.amount,
  );
  const tight = room !== undefined && max < guardrails.maxReplicas ? room.line : undefined;
  const measured = {
    used: expectedCores(input),
    requested: newest(input, "cpu-requested"),
    requestsPerSecond: newest(input, "requests"),
    bounds: { min, max, growthLimit },
    target: input.target,
  };
  const sized: Sizing<number> = scaler
    ? sizeMaxReplicas({ ...measured, current: state.replicas, ceiling: scaler.max })
    : sizeReplicas({ ...measured, current, latency: metric });
  const because = (text: string) => (tight === undefined ? text : `${text}; ${tight}`);
  if (sized.kind === "abstained") return none(because(sized.because));
  if (sized.to <= current) return none(`${current} replicas are enough: ${sized.arithmetic.join("; ")}`);
  const sizing = [...sized.arithmetic, ...(sized.bounded === undefined || tight === undefined ? [] : [tight])];
  const { kind, namespace, name } = cause.workload;
  const [from, to] = [String(current), String(sized.to)];
  const change = changeFor(scaler?.kind, sized.to);
  return {
    kind: "change",
    remediation: { kind: "scale", workload: { kind, namespace, name }, change, from, to, sizing },
  };
}

/** Cores in use now, or where the trend leads to when the cause is a prediction. */
function expectedCores(input: RemedyInput): number | undefined {
  const series = seriesOf(input.evidence, { key: "cpu-used", workload: input.cause.workload, home: input.home });
  if (series === undefined || input.cause.kind !== "saturation-predicted") return series?.newest;
  const [first, last] = [series.points[0], series.points.at(-1)];
  if (!first || !last) return series.newest;
  return Math.max(series.newest, trendAt(series.points, last[0] + (last[0] - first[0])));
}

/** The value of the least-squares line at a time: what Prometheus' predict_linear computes. */
function trendAt(points: readonly (readonly [number, number])[], at: number): number {
  const n = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (spread === 0) return meanY;
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  return meanY + slope * (at - meanX);
}

function newest({ evidence, cause, home }: RemedyInput, key: EvidenceKey): number | undefined {
  return seriesOf(evidence, { key, workload: cause.workload, home })?.newest;
}

/** Git owns the ceiling where an autoscaler owns the number. */
function changeFor(scaler: string | undefined, to: number): WantedChange {
  if (scaler === "ScaledObject") return { kind: "scaled-object", field: "maxReplicaCount", to };
  return scaler === undefined ? { kind: "replicas", to } : { kind: "hpa", field: "maxReplicas", to };
}

function none(because: string): Remedy {
  return { kind: "none", because };
}
