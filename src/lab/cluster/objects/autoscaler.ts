import { parseQuantity } from "../../../domain/kubernetes/quantity.ts";
import { at, containersOf, type KubeObject, numberAt, textAt } from "./kube-object.ts";
import type { KubeStore } from "./kube-store.ts";

export interface AutoscalerState {
  /** Recent recommendations per autoscaler, newest last, as [Unix milliseconds, replicas]. */
  readonly recommended: Map<string, [number, number][]>;
}

interface AutoscalerInput {
  readonly nowMs: number;
  readonly scaleDownMs: number;
  /** Cores used by all replicas of a workload, and how many of them are ready. */
  readonly usage: (workload: string) => { readonly cores: number; readonly ready: number };
}

const tolerance = 0.1;

/** `ceil(replicas × utilisation / target)` within the bounds; down only when the window agrees. */
export function reconcileAutoscalers(store: KubeStore, state: AutoscalerState, input: AutoscalerInput): void {
  for (const hpa of store.list("HorizontalPodAutoscaler")) {
    const { namespace, name } = hpa.metadata;
    const kind = textAt(hpa, "spec", "scaleTargetRef", "kind") ?? "Deployment";
    const target = store.get(kind, namespace, textAt(hpa, "spec", "scaleTargetRef", "name") ?? "");
    if (!target?.spec) continue;
    const current = numberAt(target, "spec", "replicas") ?? 1;
    const utilisation = utilisationOf(target, input);
    const wanted = recommend(hpa, current, utilisation);
    const history = (state.recommended.get(name) ?? []).filter(([time]) => time > input.nowMs - input.scaleDownMs);
    state.recommended.set(name, [...history, [input.nowMs, wanted]]);
    const [min, max] = boundsOf(hpa);
    const stable = Math.max(wanted, ...history.map(([, replicas]) => replicas));
    const next = Math.min(max, Math.max(min, wanted > current ? wanted : Math.min(current, stable)));
    report(hpa, { current, next, max, utilisation });
    if (next === current) continue;
    target.spec.replicas = next;
    target.metadata.generation = (target.metadata.generation ?? 1) + 1;
    const message = `New size: ${next}; reason: cpu resource utilization (percentage of request)`;
    store.note(hpa, { type: "Normal", reason: "SuccessfulRescale", message });
    store.put(target);
  }
}

function boundsOf(hpa: KubeObject): [number, number] {
  return [numberAt(hpa, "spec", "minReplicas") ?? 1, numberAt(hpa, "spec", "maxReplicas") ?? 1];
}

function recommend(hpa: KubeObject, current: number, utilisation: number | undefined): number {
  const metrics = at(hpa, "spec", "metrics");
  const targets = (Array.isArray(metrics) ? metrics : []).map((metric) =>
    numberAt(metric, "resource", "target", "averageUtilization"),
  );
  const target = (targets.find((value) => value !== undefined) ?? 80) / 100;
  if (utilisation === undefined || Math.abs(utilisation / target - 1) <= tolerance) return current;
  return Math.ceil(current * (utilisation / target));
}

function utilisationOf(target: KubeObject, { usage }: AutoscalerInput): number | undefined {
  const { cores, ready } = usage(target.metadata.name);
  const containers = containersOf(at(target, "spec", "template", "spec"));
  const requested = containers.reduce((sum, { requests }) => sum + (parseQuantity(requests.cpu) ?? 0), 0);
  return ready === 0 || requested === 0 ? undefined : cores / (requested * ready);
}

interface Reported {
  readonly current: number;
  readonly next: number;
  readonly max: number;
  readonly utilisation: number | undefined;
}

function report(hpa: KubeObject, { current, next, max, utilisation }: Reported): void {
  const averageUtilization = Math.round((utilisation ?? 0) * 100);
  const limited = next >= max;
  hpa.status = {
    currentReplicas: current,
    desiredReplicas: next,
    currentMetrics: [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization } } }],
    conditions: [
      { type: "AbleToScale", status: "True", reason: "ReadyForNewScale" },
      { type: "ScalingActive", status: "True", reason: "ValidMetricFound" },
      {
        type: "ScalingLimited",
        status: limited ? "True" : "False",
        reason: limited ? "TooManyReplicas" : "DesiredWithinRange",
      },
    ],
  };
}
