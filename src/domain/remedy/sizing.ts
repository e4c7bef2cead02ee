import { parseQuantity, renderCpu, renderMemory } from "../kubernetes/quantity.ts";
import type { ResourceField } from "../kubernetes/manifest-edit.ts";

/** A size with its arithmetic, line by line for people, or why no size can be named. */
export type Sizing<Size> =
  | {
      readonly kind: "sized";
      readonly to: Size;
      readonly arithmetic: readonly string[];
      /** Says which bound made the size smaller or larger than the load asks for. */
      readonly bounded?: string;
    }
  | { readonly kind: "abstained"; readonly because: string };

interface ReplicaBounds {
  readonly min: number;
  readonly max: number;
  /** At most `current × growthLimit` in one change. */
  readonly growthLimit: number;
}

/** What was measured over all replicas; undefined = not measured. */
interface ReplicaLoad {
  readonly current: number;
  /** Cores used and requested by all replicas together. */
  readonly used: number | undefined;
  readonly requested: number | undefined;
  /** What the alert measures, and its limit. */
  readonly latency?: { readonly value: number; readonly limit: number } | undefined;
  readonly requestsPerSecond?: number | undefined;
  /** Requests per second that one replica was measured to sustain. */
  readonly perReplica?: number | undefined;
  /** Wanted utilisation, 0 to 1; 0.6 when absent. */
  readonly target?: number | undefined;
  readonly bounds: ReplicaBounds;
}

// The autoscaler's own tolerance: it leaves a ratio between 0.9 and 1.1 alone.
const tolerance = 0.1;
const defaultTarget = 0.6;

/**
 * How many replicas the measured load needs: `ceil(current × utilisation / target)`, as the HPA computes it
 * (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details), and, where the
 * throughput of one replica is known, `ceil(requests per second / (per replica × target))`; the larger one wins.
 * Never smaller than now while the latency is over its limit. Abstains without a measurement or a change to make.
 */
export function sizeReplicas(input: ReplicaLoad): Sizing<number> {
  const { current, bounds } = input;
  const target = input.target ?? defaultTarget;
  const unusable = unusableReason(current, target, bounds);
  if (unusable !== undefined) return abstain(unusable);

  const needs = [needByCpu(input, target), needByThroughput(input, target)].filter((need) => need !== undefined);
  const most = needs.reduce<Need | undefined>(
    (best, need) => (best && best.ratio >= need.ratio ? best : need),
    undefined,
  );
  if (!most) return abstain("neither the CPU of the replicas nor their throughput was measured");

  const arithmetic = needs.map((need) => need.line);
  if (Math.abs(most.ratio - 1) <= tolerance) {
    return abstain(
      `${most.line}: within ${tolerance * 100} % of the target, another number of replicas is not the fix`,
    );
  }
  const { latency } = input;
  if (most.replicas < current && latency !== undefined && latency.value > latency.limit) {
    return abstain(`${most.line}: the replicas are not the bottleneck although the limit ${latency.limit} is crossed`);
  }
  return withinBounds({ wanted: most.replicas, current, bounds, arithmetic });
}

/** How many replicas the load needs by the rule of `sizeReplicas`, without bounds; undefined = it was not measured. */
export function neededReplicas(
  load: Omit<ReplicaLoad, "bounds" | "latency">,
): { readonly replicas: number; readonly arithmetic: readonly string[] } | undefined {
  const input = { ...load, bounds: { min: 1, max: Number.MAX_SAFE_INTEGER, growthLimit: Number.MAX_SAFE_INTEGER } };
  const target = load.target ?? defaultTarget;
  if (unusableReason(load.current, target, input.bounds) !== undefined) return undefined;
  const needs = [needByCpu(input, target), needByThroughput(input, target)].filter((need) => need !== undefined);
  if (needs.length === 0) return undefined;
  return { replicas: Math.max(...needs.map((need) => need.replicas)), arithmetic: needs.map((need) => need.line) };
}

interface Need {
  readonly replicas: number;
  /** Load over target: above 1 means too small. */
  readonly ratio: number;
  readonly line: string;
}

function needByCpu({ current, used, requested }: ReplicaLoad, target: number): Need | undefined {
  if (!isMeasured(used) || !isMeasured(requested) || requested === 0) return undefined;
  const utilisation = used / requested;
  const replicas = ceil((current * utilisation) / target);
  const line =
    `CPU ${shown(used)} of ${shown(requested)} requested cores = ${percent(utilisation)}; ` +
    `ceil(${current} × ${percent(utilisation)} / ${percent(target)}) = ${replicas}`;
  return { replicas, ratio: utilisation / target, line };
}

function needByThroughput(input: ReplicaLoad, target: number): Need | undefined {
  const { current, requestsPerSecond, perReplica } = input;
  if (!isMeasured(requestsPerSecond) || !isMeasured(perReplica) || perReplica === 0) return undefined;
  const exact = requestsPerSecond / (perReplica * target);
  const line =
    `${shown(requestsPerSecond)} requests per second, ${shown(perReplica)} sustained by one replica; ` +
    `ceil(${shown(requestsPerSecond)} / (${shown(perReplica)} × ${percent(target)})) = ${ceil(exact)}`;
  return { replicas: ceil(exact), ratio: exact / current, line };
}

interface Wanted {
  readonly wanted: number;
  readonly current: number;
  readonly bounds: ReplicaBounds;
  readonly arithmetic: readonly string[];
}

function withinBounds({ wanted, current, bounds, arithmetic }: Wanted): Sizing<number> {
  const growth = Math.max(current, Math.floor(current * bounds.growthLimit + 1e-9));
  const to = Math.max(bounds.min, Math.min(wanted, bounds.max, growth));
  const limit =
    to > wanted
      ? `at least ${bounds.min}`
      : growth < bounds.max
        ? `at most ${bounds.growthLimit} × ${current} = ${growth} in one change`
        : `at most ${bounds.max}`;
  if (wanted > current && to <= current) return abstain(`${wanted} wanted, ${current} now, but ${limit} is allowed`);
  if (to === current) return abstain(`${wanted} wanted, but ${limit} is allowed, and that is what runs`);
  // A bound that turns the direction round would answer another question than the one that was measured.
  if (wanted < current && to > current) return abstain(`${wanted} wanted, ${current} now, but ${limit} is allowed`);
  if (to === wanted) return { kind: "sized", to, arithmetic };
  const bounded = `${wanted} wanted, ${limit} allowed`;
  return { kind: "sized", to, arithmetic: [...arithmetic, `${bounded}: ${to}`], bounded };
}

/** What an autoscaler at its ceiling was measured to hold. */
interface CeilingLoad extends Omit<ReplicaLoad, "latency"> {
  /** The ceiling now. */
  readonly ceiling: number;
  /** Room above the need, so that the autoscaler steers again; 0.2 when absent. */
  readonly headroom?: number | undefined;
}

/**
 * The `maxReplicas` of an autoscaler that stands at its ceiling: the replicas that the load needs, by the rule of
 * `sizeReplicas`, plus room to steer. Bounds apply to the ceiling, which is never lowered.
 */
export function sizeMaxReplicas(input: CeilingLoad): Sizing<number> {
  const { current, ceiling, headroom = 0.2 } = input;
  if (current < ceiling) return abstain(`${current} replicas run, the ceiling of ${ceiling} is not reached`);
  const open = { min: 1, max: Number.MAX_SAFE_INTEGER, growthLimit: Number.MAX_SAFE_INTEGER };
  const unusable = unusableReason(ceiling, input.target ?? defaultTarget, input.bounds);
  if (unusable !== undefined) return abstain(unusable);
  const need = sizeReplicas({ ...input, bounds: open });
  if (need.kind === "abstained") return need;
  const wanted = ceil(need.to * (1 + headroom));
  if (wanted <= ceiling) return abstain(`the load needs ${need.to} replicas, the ceiling of ${ceiling} leaves room`);
  const arithmetic = [...need.arithmetic, `${need.to} × (1 + ${percent(headroom)}) room to steer = ${wanted}`];
  return withinBounds({ wanted, current: ceiling, bounds: input.bounds, arithmetic });
}

/** What one container was measured to use, in cores or bytes. */
interface ResourceLoad {
  readonly field: ResourceField;
  /** The value in the manifest now; undefined = not set. */
  readonly current: string | undefined;
  /** The highest use of one container in the window. */
  readonly peak: number | undefined;
  /** True when the kernel killed it for memory: the peak then says less than the need. */
  readonly outOfMemory?: boolean | undefined;
  /** Room above the peak; 0.25 when absent. */
  readonly headroom?: number | undefined;
  readonly bounds: { readonly max: string; readonly growthLimit: number };
}

// The vertical pod autoscaler's rule after an OOM kill: 20 % or 100 MiB more than the memory then used
// (https://github.com/kubernetes/autoscaler/blob/master/vertical-pod-autoscaler/docs/flags.md, oom-bump-up-ratio).
const afterOutOfMemory = { ratio: 1.2, atLeast: 100 * 2 ** 20 };

/** CPU or memory from the measured peak plus headroom, rounded up to a quantity people would write. Never smaller than now. */
export function sizeResources(input: ResourceLoad): Sizing<string> {
  const { field, peak, headroom = 0.25, bounds } = input;
  if (!isMeasured(peak) || peak === 0) return abstain(`the peak of ${field} was not measured`);
  const render = field.endsWith(".memory") ? renderMemory : renderCpu;
  const max = parseQuantity(bounds.max);
  if (max === undefined) return abstain(`the bound ${bounds.max} is no quantity`);
  const current = input.current === undefined ? undefined : parseQuantity(input.current);
  if (input.current !== undefined && !current) return abstain(`the present value ${input.current} is no quantity`);

  const roomy = peak * (1 + headroom);
  const bump = Math.max(peak * afterOutOfMemory.ratio, peak + afterOutOfMemory.atLeast);
  const bumped = input.outOfMemory === true && field.endsWith(".memory") && bump > roomy;
  const wanted = bumped ? bump : roomy;
  const rule = bumped ? "20 % or 100Mi more after an OOM kill" : `${percent(headroom)} headroom`;
  const arithmetic = [`peak ${render(peak)} + ${rule} = ${render(wanted)}`];

  return resourceWithin({ wanted, max, current, input, arithmetic });
}

interface WantedResource {
  readonly wanted: number;
  readonly current: number | undefined;
  readonly max: number;
  readonly input: ResourceLoad;
  readonly arithmetic: readonly string[];
}

function resourceWithin({ wanted, current, max, input, arithmetic }: WantedResource): Sizing<string> {
  const { field, bounds } = input;
  const render = field.endsWith(".memory") ? renderMemory : renderCpu;
  const growth = current === undefined ? max : current * bounds.growthLimit;
  const limit = Math.min(max, growth);
  const rounded = render(wanted);
  const exact = parseQuantity(rounded) ?? wanted;
  const to = exact <= limit ? rounded : quantityBelow(limit, field);
  if (current !== undefined && wanted <= current) return abstain(`${input.current} already leaves the headroom`);
  if (current !== undefined && (parseQuantity(to) ?? 0) <= current) {
    return abstain(`${render(wanted)} wanted, but at most ${to} is allowed and ${input.current} is set`);
  }
  if (wanted <= limit || to === rounded) return { kind: "sized", to, arithmetic };
  const allowed = growth < max ? `${bounds.growthLimit} × ${input.current}` : bounds.max;
  const bounded = `${render(wanted)} wanted, at most ${allowed} allowed`;
  return { kind: "sized", to, arithmetic: [...arithmetic, `${bounded}: ${to}`], bounded };
}

/** The limit itself, as a quantity that does not exceed it. */
function quantityBelow(limit: number, field: ResourceField): string {
  if (field.endsWith(".memory")) return `${Math.floor(limit / 2 ** 20 + 1e-9)}Mi`;
  return `${Math.floor(limit * 1000 + 1e-9)}m`;
}

function unusableReason(current: number, target: number, bounds: ReplicaBounds): string | undefined {
  if (!Number.isInteger(current) || current < 1) return `${current} replicas run: there is nothing to measure`;
  if (!(target > 0 && target <= 1)) return `the target utilisation ${target} is not between 0 and 1`;
  const usable = bounds.min >= 1 && bounds.max >= bounds.min && bounds.growthLimit >= 1;
  return usable ? undefined : `the bounds ${bounds.min} to ${bounds.max}, growth ${bounds.growthLimit}, make no sense`;
}

/** Rounds up, and forgives what binary fractions add (2 × 0.9 / 0.6 is 3, not 4). */
function ceil(value: number): number {
  return Math.ceil(value - 1e-9);
}

function isMeasured(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value >= 0;
}

function abstain(because: string): { readonly kind: "abstained"; readonly because: string } {
  return { kind: "abstained", because };
}

function shown(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(4))} %`;
}
